//! A tree with keys, and a name server that knows them.

use std::process::Child;
use std::time::Duration;

use qmail_conformance::process::Finished;
use qmail_conformance::sink::Sink;
use qmail_conformance::{Need, Tree, files, wait};

/// Keys that are used nowhere else, and their records.
pub(crate) const RSA: &str = include_str!("../../../crates/policy/samples/keys/rsa.pem");
pub(crate) const ED25519: &str = include_str!("../../../crates/policy/samples/keys/ed25519.pem");
const RSA_PUBLIC: &str = include_str!("../../../crates/policy/samples/keys/rsa.txt");
const ED25519_PUBLIC: &str = include_str!("../../../crates/policy/samples/keys/ed25519.txt");

/// What comes from a user of this host, and goes elsewhere.
pub(crate) const MESSAGE: &str = "From: Joe <joe@test.example>\nTo: jane@far.example\n\
    Subject: two\n\tlines\nDate: Sat, 21 Nov 2026 12:00:00 +0000\nMessage-ID: <1@test.example>\n\
    List-Unsubscribe: <mailto:off@test.example>\nMIME-Version: 1.0\n\
    Content-Type: text/plain; charset=utf-8\n\nHello,  J\u{e4}ne.\n\n--  \nJoe\n \n\t \n\n";

/// A tree whose mail goes to a sink, and which is `test.example`.
pub(crate) struct Site {
    pub(crate) tree: Tree,
    pub(crate) sink: Sink,
    server: Child,
}

impl Site {
    /// With two keys for `test.example`; none if the machine lacks what that takes, or this is a
    /// tree that cannot sign.
    pub(crate) fn new() -> Option<Self> {
        let site = Self::without_keys("")?;
        site.key("test.example", "r", RSA);
        site.key("test.example", "e", ED25519);
        Some(site)
    }

    /// Without keys, and with these further records below `example`.
    pub(crate) fn without_keys(records: &str) -> Option<Self> {
        let tree = Tree::under_test();
        let programs = ["qmail-dkim-remote", "qmail-dkim", "dknewkey"];
        if tree.is_original() || programs.into_iter().any(|name| tree.lacks(Need::Program(name))) {
            return None;
        }
        Self::of(tree, records)
    }

    /// The same of this tree; whatever it lacks has to be put there.
    pub(crate) fn of(tree: Tree, records: &str) -> Option<Self> {
        if tree.lacks(Need::Root) || tree.lacks(Need::Tool("nsd")) {
            return None;
        }
        let server = name_server(&tree, records);
        let sink = Sink::start(tree.listen("127.0.0.1:0")).unwrap();
        tree.control("smtproutes", format!(":127.0.0.1:{}\n", sink.address().port()));
        Some(Self { tree, sink, server })
    }

    /// Adds a key that signs.
    pub(crate) fn key(&self, domain: &str, selector: &str, pem: &str) {
        let owner = self.tree.accounts().qmailr;
        let directory = self.tree.path("control/domainkeys").join(domain);
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join(selector);
        files::write(&path, pem);
        files::set_mode(&path, 0o400);
        for path in [directory, path] {
            std::os::unix::fs::chown(path, Some(owner.uid), Some(owner.gid)).unwrap();
        }
    }

    /// Sends a message from joe through qmail-dkim-remote; its report.
    pub(crate) fn send(&self, message: &str) -> Finished {
        self.send_from("joe@test.example", message)
    }

    /// The same from anybody.
    pub(crate) fn send_from(&self, sender: &str, message: &str) -> Finished {
        let program = self.tree.program("qmail-dkim-remote").run_as(self.tree.accounts().qmailr);
        let words = ["far.example", sender, "jane@far.example"];
        program.args(words).env("PATH", self.path()).stdin(message).run()
    }

    /// Where programs are found in the tree's world.
    pub(crate) fn path(&self) -> String {
        format!("{}/bin:/usr/bin:/bin:/usr/sbin:/sbin", self.tree.home().display())
    }

    /// What arrived when this was sent, with LF.
    pub(crate) fn signed(&self, message: &str) -> String {
        let said = self.send(message).text();
        assert!(said.starts_with("r\0K"), "{said:?}");
        self.arrived(self.sink.messages().len())
    }

    /// The last of so many messages that have come, with LF.
    pub(crate) fn arrived(&self, count: usize) -> String {
        Self::text(self.sink.wait_for(count).pop().unwrap().data)
    }

    /// What came over the wire as it is in a file.
    pub(crate) fn text(data: Vec<u8>) -> String {
        String::from_utf8(data).unwrap().replace("\r\n.", "\r\n").replace("\r\n", "\n")
    }

    /// Takes a message from the network with these variables; what the client was told.
    pub(crate) fn receive(&self, variables: &[(&str, &str)], message: &str) -> String {
        let queue = [("QMAILQUEUE", "bin/qmail-dkim")];
        let session = self.tree.smtpd_with(&[&queue, variables].concat());
        let mut session = session.mail_from("x@far.example").rcpt_to("joe@test.example");
        let reply = session.data(message.replace("\n.", "\n..").replace('\n', "\r\n") + ".\r\n");
        reply.text.trim_end().to_owned()
    }

    /// The results that a message gets, without its own text.
    pub(crate) fn results(&self, message: &str) -> String {
        let reply = self.receive(&[], message);
        assert!(reply.starts_with("250"), "{reply}");
        let mut all = self.tree.todo().into_iter().map(|queued| queued.without_received());
        let queued = all.find(|queued| queued.ends_with(message)).unwrap();
        let (results, _) = queued.split_once("\nReceived:").unwrap();
        results.replace("\n\t", " ")
    }

    /// What a program of the machine makes of a message, in the tree's world.
    pub(crate) fn run(&self, program: &str, arguments: &[&str], message: &str) -> Finished {
        let program = self.tree.command(program).args(arguments.iter().copied());
        program.env("PATH", self.path()).stdin(message).run()
    }

    /// A file that every account can read.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.tree.scratch().join(name);
        files::write(&path, text);
        path.display().to_string()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// nsd, as the source of `example`, at the address that the tree asks.
fn name_server(tree: &Tree, records: &str) -> Child {
    let place = tree.scratch();
    let zone = format!(
        "$ORIGIN example.\n$TTL 60\n@ SOA ns host 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n\
         r._domainkey.test TXT ( \"v=DKIM1; k=rsa; p=\" {})\n\
         e._domainkey.test TXT \"v=DKIM1; k=ed25519; p={ED25519_PUBLIC}\"\n{records}",
        strings(RSA_PUBLIC)
    );
    files::write(&place.join("zone"), zone);
    let config = format!(
        "server:\n ip-address: 127.0.0.1\n username: \"\"\n zonesdir: \"{place}\"\n \
         database: \"\"\n pidfile: \"\"\n xfrdfile: \"{place}/xfrd\"\n \
         zonelistfile: \"{place}/list\"\n server-count: 1\n\
         remote-control:\n control-enable: no\nzone:\n name: example\n zonefile: zone\n",
        place = place.display()
    );
    let path = place.join("nsd.conf");
    files::write(&path, config);
    let (child, _output) = tree.command("nsd").args(["-d", "-c"]).arg(path).start();
    let socket = tree.bind("127.0.0.1:0");
    socket.connect("127.0.0.1:53").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let question = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07example\0\0\x06\0\x01";
    let mut answer = [0; 512];
    wait::until("a name server", || {
        let _ = socket.send(question);
        (socket.recv(&mut answer).ok()? > question.len()).then_some(())
    });
    child
}

/// A text as strings of a TXT record.
pub(crate) fn strings(text: &str) -> String {
    let pieces = text.as_bytes().chunks(200).map(String::from_utf8_lossy);
    pieces.map(|piece| format!("\"{piece}\" ")).collect()
}
