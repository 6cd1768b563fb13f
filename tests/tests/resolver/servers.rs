//! nsd, unbound and dnsmasq.

use std::fmt::Write as _;
use std::net::UdpSocket;
use std::process::Child;
use std::time::Duration;

use qmail_conformance::process::Program;
use qmail_conformance::{Need, Tree, files, wait};

/// A name server, until it is dropped.
pub(crate) struct NameServer {
    child: Child,
}

impl NameServer {
    /// The source of `test`.
    pub(crate) fn nsd(tree: &Tree, address: &str) -> Option<Self> {
        if tree.lacks(Need::Tool("nsd")) {
            return None;
        }
        let place = tree.scratch();
        files::write(&place.join("zone"), zone());
        let config = format!(
            "server:\n ip-address: {address}\n username: \"\"\n zonesdir: \"{place}\"\n \
             database: \"\"\n pidfile: \"\"\n xfrdfile: \"{place}/xfrd\"\n \
             zonelistfile: \"{place}/list\"\n server-count: 1\n\
             remote-control:\n control-enable: no\n\
             zone:\n name: test\n zonefile: zone\n",
            place = place.display()
        );
        let path = place.join("nsd.conf");
        files::write(&path, config);
        Some(Self::start(tree, tree.command("nsd").args(["-d", "-c"]).arg(path), address))
    }

    /// Asks `source` for `test`, and nobody for `broken`.
    pub(crate) fn unbound(tree: &Tree, address: &str, source: &str) -> Option<Self> {
        if tree.lacks(Need::Tool("unbound")) {
            return None;
        }
        let config = format!(
            "server:\n interface: {address}\n username: \"\"\n chroot: \"\"\n directory: \"/\"\n \
             pidfile: \"\"\n use-syslog: no\n do-daemonize: no\n do-not-query-localhost: no\n \
             module-config: iterator\n local-zone: test. nodefault\n num-threads: 1\n\
             remote-control:\n control-enable: no\n\
             stub-zone:\n name: test\n stub-addr: {source}\n\
             stub-zone:\n name: broken\n stub-addr: 127.0.0.99\n"
        );
        let path = tree.scratch().join("unbound.conf");
        files::write(&path, config);
        Some(Self::start(tree, tree.command("unbound").args(["-d", "-c"]).arg(path), address))
    }

    /// Hands all questions on to `source`.
    pub(crate) fn dnsmasq(tree: &Tree, address: &str, source: &str) -> Option<Self> {
        if tree.lacks(Need::Tool("dnsmasq")) {
            return None;
        }
        let program = tree
            .command("dnsmasq")
            .args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"])
            .args(["--user=root", "--group=root", "--bind-interfaces", "--pid-file="])
            .arg(format!("--listen-address={address}"))
            .arg(format!("--server={source}"));
        Some(Self::start(tree, program, address))
    }

    fn start(tree: &Tree, program: Program<'_>, address: &str) -> Self {
        let (child, _output) = program.start();
        let server = Self { child };
        let socket = tree.bind("127.0.0.1:0");
        socket.connect((address, 53)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        wait::until(&format!("a name server at {address}"), || answers(&socket).then_some(()));
        server
    }
}

/// Whether it knows where `test` begins.
fn answers(socket: &UdpSocket) -> bool {
    let question = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x04test\0\0\x06\0\x01";
    let mut answer = [0; 512];
    socket.send(question).is_ok()
        && socket
            .recv(&mut answer)
            .is_ok_and(|length| length > question.len() && answer[3] & 15 == 0)
}

impl Drop for NameServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Mail for most names here goes to 127.0.0.11.
fn zone() -> String {
    let mut text = String::from(
        "$ORIGIN test.\n$TTL 60\n@ SOA ns host 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n\
         mx A 127.0.0.11\nsmall MX 10 mx\nempty TXT \"nothing else\"\ndangling CNAME nowhere\n\
         null MX 0 .\ndeaf MX 10 empty\nalias CNAME other\nother MX 5 mx\n",
    );
    for (name, count) in [("over512", 40), ("over4096", 250), ("long64k", 1700), ("whole64k", 2900)]
    {
        for number in 1..count {
            writeln!(text, "{name} MX {} n{number}.{name}", 1000 + number).unwrap();
        }
        writeln!(text, "{name} MX 10 mx").unwrap();
    }
    for number in 1..4000 {
        let (high, low) = (number / 250, number % 250 + 1);
        writeln!(text, "addresses64k A 127.1.{high}.{low}").unwrap();
    }
    // Nobody is there, but one of the addresses that are looked at first may be.
    text.push_str("addresses64k MX 10 mx\n");
    for number in 0..9 {
        writeln!(text, "chain{number} CNAME chain{}", number + 1).unwrap();
    }
    text.push_str("chain CNAME chain0\nchain9 MX 10 mx\n");
    text
}
