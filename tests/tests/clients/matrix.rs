//! The matrix: a client by every mechanism over every connection, and what must come of it.

use std::time::{Duration, SystemTime};

use qmail_conformance::process::{Finished, Program};
use qmail_conformance::secure::Secure;
use qmail_conformance::{Need, Tree, files};

/// How the client connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// Without TLS.
    Plain,
    /// By STARTTLS or STLS.
    Upgraded,
    /// In TLS from the first byte.
    Implicit,
}

/// All of them.
pub(crate) const LINKS: [Link; 3] = [Link::Plain, Link::Upgraded, Link::Implicit];
const MECHANISMS: [&str; 3] = ["PLAIN", "LOGIN", "CRAM-MD5"];
/// What clients send that write no message themselves.
pub(crate) const MESSAGE: &str = "From: joe@test.example\r\nSubject: x\r\n\r\nhello\r\n";

/// What must come of it: passwords are told in TLS only.
fn is_welcome(mechanism: &str, link: Link) -> bool {
    link != Link::Plain || matches!(mechanism, "CRAM-MD5" | "APOP")
}

/// Whether the test must end here.
pub(crate) fn lacks(tree: &Tree, tool: &'static str) -> bool {
    tree.lacks(Need::Root)
        || tree.lacks(Need::Program("qmail-newcert"))
        || tree.lacks(Need::Tool(tool))
}

/// Runs a client of SMTP by every mechanism over every connection.
pub(crate) fn send_by(
    tool: &'static str,
    client: impl Fn(Program<'_>, &str, Link, &str) -> Finished,
) {
    if lacks(&Tree::under_test(), tool) {
        return;
    }
    let secure = Secure::new();
    let variables = [("SMTPAUTH", "!+cram")];
    let _submission = secure.serve(587, secure.smtpd(&variables));
    let _smtps = secure.serve(465, secure.smtpd(&[variables[0], ("SMTPS", "1")]));
    let mut sent = 0;
    for link in LINKS {
        for mechanism in MECHANISMS {
            let run = |password| client(secure.tree.command(tool), mechanism, link, password);
            let finished = run("secret");
            let welcome = is_welcome(mechanism, link);
            assert_eq!(
                finished.code == Some(0),
                welcome,
                "{mechanism} {link:?}: {}",
                finished.said()
            );
            sent += usize::from(welcome);
            assert_eq!(secure.tree.queued(), sent, "{mechanism} {link:?}: {}", finished.said());
        }
    }
    let wrong = client(secure.tree.command(tool), "PLAIN", Link::Upgraded, "wrong");
    assert_ne!(wrong.code, Some(0), "{}", wrong.said());
    assert_eq!(secure.tree.queued(), sent);
}

/// Runs a client of POP3 by every mechanism over every connection. It succeeds if it prints, or
/// leaves in the directory that it is given, the one message of joe.
pub(crate) fn fetch_by(
    tool: &'static str,
    command: &str,
    mechanisms: &[&'static str],
    links: &[Link],
    client: impl Fn(Program<'_>, &str, Link, &str) -> Finished,
) {
    if lacks(&Tree::under_test(), tool) {
        return;
    }
    let secure = Secure::new();
    let joe = secure.tree.user("joe");
    let _ = joe.make_maildir("Maildir");
    joe.write("Maildir/new/1.x.h", "Subject: x\n\nhello from the mailbox\n");
    let past = SystemTime::now() - Duration::from_secs(100);
    files::set_times(&joe.home().join("Maildir/new/1.x.h"), past);
    let ways = ("POP3AUTH", "+cram+apop");
    let _pop = secure.serve(110, secure.popup(&[ways]));
    let _pops = secure.serve(995, secure.popup(&[ways, ("POP3S", "1")]));
    for link in links.iter().copied() {
        for mechanism in mechanisms {
            let finished = client(secure.tree.command(command), mechanism, link, "secret");
            // USER has always been taken in the clear, where nobody says otherwise.
            let welcome = is_welcome(mechanism, link) || *mechanism == "USER";
            let fetched = finished.text().contains("hello from the mailbox");
            assert_eq!(fetched, welcome, "{mechanism} {link:?}: {}", finished.said());
        }
    }
    let wrong =
        client(secure.tree.command(command), mechanisms[0], links[links.len() - 1], "wrong");
    assert!(!wrong.said().contains("hello from the mailbox"), "{}", wrong.said());
    assert_ne!(wrong.code, Some(0), "{}", wrong.said());
}
