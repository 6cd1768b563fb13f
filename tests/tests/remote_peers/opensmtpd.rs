//! OpenSMTPD.

use qmail_conformance::{Tree, files};

use crate::peer::{Peer, SINK, add_account, directory, identity, package};

const PROGRAM: &str = "/usr/local/lib/mail-servers/opensmtpd/usr/sbin/smtpd";
const USER: u32 = 7883;
const QUEUE_USER: u32 = 7884;
/// `secret`.
const SECRET: &str = "$6$wZyZ1iAeQxHq2V1b$XmWd8VFzALcwYUS4UC0.6Akko.ufMr.cyTKpvCdg7KxxciKqPnPt6UC1SYK6Qf3ijEQ/jqd8IdBhLgsWNZdce1";

/// Ports 25 and 465 with TLS and a password required, port 2500 with neither.
pub(crate) fn start(tree: &Tree) -> Option<Peer> {
    package(tree, "opensmtpd", PROGRAM)?;
    add_account(tree, "opensmtpd", USER);
    add_account(tree, "opensmtpq", QUEUE_USER);
    make_places(tree);
    let place = tree.scratch();
    let certificate = identity(&place, "relay.pem", 0);
    let text = format!(
        "pki relay.example cert \"{certificate}\"\n\
         pki relay.example key \"{certificate}\"\n\
         table users {{ \"user\" = \"{SECRET}\" }}\n\
         listen on lo port 25 tls-require pki relay.example auth <users> hostname relay.example\n\
         listen on lo port 465 smtps pki relay.example auth <users> hostname relay.example\n\
         listen on lo port 2500 hostname relay.example tag OPEN\n\
         action \"on\" relay host smtp://{SINK}\n\
         match auth from any for any action \"on\"\n\
         match tag OPEN from any for any action \"on\"\n",
        certificate = certificate.display(),
    );
    let config = place.join("smtpd.conf");
    files::write(&config, text);
    let program = tree.command(PROGRAM).args(["-d", "-f"]).arg(&config);
    Some(Peer::start(tree, program, "[::1]:2500"))
}

/// Its places are compiled in: private ones are mounted there.
fn make_places(tree: &Tree) {
    let library = directory(&tree.scratch(), "lib", 0, 0, 0o755);
    directory(&directory(&library, "opensmtpd", 0, 0, 0o755), "empty", 0, 0, 0o755);
    let script = "mount -t tmpfs -o mode=755 tmpfs /var/spool && mkdir -m 711 /var/spool/smtpd &&
        mount -t tmpfs -o mode=755 tmpfs /run && mount --bind \"$1\" /var/lib";
    let made = tree.command("/bin/sh").args(["-c", script, "sh"]).arg(&library).run();
    assert_eq!(made.code, Some(0), "{}", made.errors());
}
