//! Servers and clients of others: mailfront before our qmail-queue and behind our qmail-qmqpc, and
//! Postfix's load generators before and behind ours.

use std::io::{Write, pipe};
use std::net::TcpStream;
use std::process::Child;

use qmail_conformance::conversation::Conversation;
use qmail_conformance::listener::{Listener, Service};
use qmail_conformance::process::{Finished, Program};
use qmail_conformance::queue::envelope;
use qmail_conformance::smtp::Session;
use qmail_conformance::{Need, Tree, wait};

/// A server of mailfront's, as qmaild, for a client at 192.0.2.1.
fn mailfront<'tree>(tree: &'tree Tree, program: &str) -> Program<'tree> {
    tree.control("rcpthosts", "test.example\n");
    let program = tree.command(program).run_as(tree.accounts().qmaild);
    program.envs(&[
        ("PROTO", "TCP"),
        ("TCPLOCALIP", "192.0.2.2"),
        ("TCPREMOTEIP", "192.0.2.1"),
        ("TCPREMOTEHOST", "client.example"),
    ])
}

fn netstring(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [format!("{}:", bytes.len()).as_bytes(), bytes, b","].concat()
}

/// Has qmail-qmqpc pass a message on.
fn qmqpc(tree: &Tree, sender: &str, recipient: &str) -> Finished {
    let (reader, mut writer) = pipe().expect("a pipe");
    writer.write_all(&envelope(sender, &[recipient])).expect("a pipe holds that much");
    drop(writer);
    let program = tree.program("qmail-qmqpc").run_as(tree.user("jane").identity());
    program.stdin("Subject: x\n\nhi\n").stdout_to(reader).run()
}

/// A server that is there until it is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server and waits until it takes connections.
fn start(tree: &Tree, program: Program<'_>, address: &str) -> Server {
    let (child, _) = program.start();
    let server = Server(child);
    wait::until("the server", || tree.within_network(|| TcpStream::connect(address).ok()));
    server
}

/// tcpserver with a program of the tree, as qmaild.
fn tcpserver(tree: &Tree, port: &str, program: &str, relays: bool) -> Server {
    let qmaild = tree.accounts().qmaild;
    let (uid, gid) = (qmaild.uid.to_string(), qmaild.gid.to_string());
    let mut server = tree.command("tcpserver").args(["-HRl0", "-c", "40", "-u", &uid, "-g", &gid]);
    if relays {
        server = server.env("RELAYCLIENT", "");
    }
    let path = tree.home().join("bin").join(program);
    start(tree, server.args(["127.0.0.1", port]).arg(path), &format!("127.0.0.1:{port}"))
}

#[test]
fn smtpfront_qmail_queues_what_it_takes() {
    let Some(tree) = Tree::among_others("usr/sbin/smtpfront-qmail") else { return };
    let mut session = Session::with(mailfront(&tree, "smtpfront-qmail").converse());
    assert_eq!(session.reply().code, 220);
    assert_eq!(session.command("EHLO client.example").code, 250);
    let mut session = session.mail_from("ann@far.example").rcpt_to("joe@test.example");
    let refused = session.command("RCPT TO:<eve@else.example>");
    assert_eq!(refused.code / 100, 5, "{}", refused.text);
    let reply = session.data("Subject: x\r\n\r\n..hi\r\n");
    assert_eq!(reply.code, 250, "{}", reply.text);
    let queued = tree.only_todo();
    assert_eq!(queued.sender(), "ann@far.example");
    assert_eq!(queued.recipients(), ["joe@test.example"]);
    let text = queued.text();
    assert!(text.starts_with("Received: (qmail ") && text.contains(" invoked from network); "));
    assert!(text.ends_with("Subject: x\n\n.hi\n"), "{text}");
}

#[test]
fn smtpfront_qmail_understands_why_a_message_is_refused() {
    let Some(tree) = Tree::among_others("usr/sbin/smtpfront-qmail") else { return };
    tree.control("rcpthosts", "test.example\n");
    for (code, expected) in [(11, 5), (31, 5), (53, 4), (71, 4)] {
        tree.write_in_its_world("/etc/filter", format!("#!/bin/sh\nexit {code}\n"));
        tree.shell("chmod 755 /etc/filter");
        let program = mailfront(&tree, "smtpfront-qmail").env("QMAILQUEUE", "/etc/filter");
        let mut session = Session::with(program.converse());
        assert_eq!(session.reply().code, 220);
        let mut session = session.mail_from("").rcpt_to("joe@test.example");
        let reply = session.data("x\r\n");
        assert_eq!(reply.code / 100, expected, "{code}: {}", reply.text);
    }
    // The real one: an address that is too long is refused for good, and nothing is queued.
    let mut session = Session::with(mailfront(&tree, "smtpfront-qmail").converse());
    assert_eq!(session.reply().code, 220);
    let long = format!("{}@test.example", "x".repeat(1000));
    let mut session = session.mail_from("ann@far.example").rcpt_to(&long);
    let reply = session.data("x\r\n");
    assert_eq!((reply.code / 100, tree.todo().len()), (5, 0), "{}", reply.text);
}

#[test]
fn qmtpfront_qmail_queues_what_it_takes() {
    let Some(tree) = Tree::among_others("usr/sbin/qmtpfront-qmail") else { return };
    let send = |recipient: &str| {
        let mut server: Conversation = mailfront(&tree, "qmtpfront-qmail").converse();
        server.send(netstring("\nSubject: x\n\nhi\n"));
        server.send([netstring("ann@far.example"), netstring(netstring(recipient))].concat());
        server.close();
        String::from_utf8_lossy(&server.rest()).into_owned()
    };
    let reply = send("joe@test.example");
    assert!(reply.contains(":K"), "{reply}");
    let reply = send("eve@else.example");
    assert!(reply.contains(":D"), "{reply}");
    let queued = tree.only_todo();
    assert_eq!(queued.recipients(), ["joe@test.example"]);
    assert!(queued.text().ends_with("Subject: x\n\nhi\n"), "{}", queued.text());
}

#[test]
fn qmail_qmqpc_passes_mail_to_qmqpfront_qmail() {
    let Some(tree) = Tree::among_others("usr/sbin/qmqpfront-qmail") else { return };
    tree.control("qmqpservers", "127.0.0.1\n");
    let service = Service::from(mailfront(&tree, "qmqpfront-qmail"));
    let _server = Listener::start(tree.listen("127.0.0.1:628"), service).unwrap();
    let finished = qmqpc(&tree, "ann@far.example", "joe@test.example");
    assert_eq!(finished.code, Some(0), "{}", finished.errors());
    let queued = tree.only_todo();
    assert_eq!(queued.sender(), "ann@far.example");
    assert_eq!(queued.recipients(), ["joe@test.example"]);
    assert!(queued.text().ends_with("Subject: x\n\nhi\n"), "{}", queued.text());
    // What its server refuses for good is not tried again.
    let refused = qmqpc(&tree, "ann@far.example", "eve@else.example");
    assert!(matches!(refused.code, Some(31 | 82)), "{refused:?}");
    assert_eq!(tree.todo().len(), 1);
}

#[test]
fn a_host_without_a_queue_sends_through_qmqpfront_qmail() {
    let Some(tree) = Tree::among_others("usr/sbin/qmqpfront-qmail") else { return };
    tree.control("qmqpservers", "127.0.0.1\n");
    let service = Service::from(mailfront(&tree, "qmqpfront-qmail").env("RELAYCLIENT", ""));
    let _server = Listener::start(tree.listen("127.0.0.1:628"), service).unwrap();
    let client = tree.home().join("bin/qmail-qmqpc");
    let sent = tree
        .command("/usr/sbin/sendmail")
        .args(["-f", "ann@far.example", "bob@else.example"])
        .env("QMAILQUEUE", client)
        .run_as(tree.user("jane").identity())
        .stdin("Subject: x\n\nhi\n")
        .run();
    assert_eq!(sent.code, Some(0), "{}", sent.errors());
    let queued = tree.only_todo();
    assert_eq!(queued.recipients(), ["bob@else.example"]);
    assert!(queued.text().contains(" invoked from network); "), "{}", queued.text());
}

#[test]
fn qmail_qmqpc_passes_mail_to_qmqp_sink() {
    let Some(tree) = Tree::among_others("usr/sbin/qmqp-sink") else { return };
    tree.control("qmqpservers", "127.0.0.1\n");
    let sink = tree.command("qmqp-sink").args(["127.0.0.1:628", "10"]);
    let _sink = start(&tree, sink, "127.0.0.1:628");
    for _ in 0..5 {
        let finished = qmqpc(&tree, "ann@far.example", "joe@test.example");
        assert_eq!(finished.code, Some(0), "{}", finished.errors());
    }
}

#[test]
fn qmail_qmqpd_takes_mail_from_qmqp_source() {
    let Some(tree) = Tree::among_others("usr/sbin/qmqp-source") else { return };
    if tree.lacks(Need::Tool("tcpserver")) {
        return;
    }
    let _server = tcpserver(&tree, "628", "qmail-qmqpd", false);
    let source = tree
        .command("qmqp-source")
        .args(["-m", "40", "-s", "4", "-r", "3", "-l", "5000"])
        .args(["-f", "ann@far.example", "-t", "joe@test.example", "127.0.0.1:628"])
        .run();
    assert_eq!((source.code, source.said()), (Some(0), String::new()));
    let queued = tree.todo();
    assert_eq!(queued.len(), 40);
    for message in queued {
        let expected = ["0joe@test.example", "1joe@test.example", "2joe@test.example"];
        let mut recipients = message.recipients();
        recipients.sort();
        assert_eq!(
            (message.sender().as_str(), recipients),
            ("ann@far.example", expected.map(Into::into).into())
        );
    }
}

#[test]
fn qmail_smtpd_takes_mail_from_smtp_source() {
    let Some(tree) = Tree::among_others("usr/sbin/smtp-source") else { return };
    if tree.lacks(Need::Tool("tcpserver")) {
        return;
    }
    let _server = tcpserver(&tree, "25", "qmail-smtpd", true);
    let source = tree
        .command("/usr/sbin/smtp-source")
        .args(["-m", "40", "-s", "4", "-r", "2", "-l", "5000", "-N"])
        .args(["-f", "ann@far.example", "-t", "joe@else.example", "127.0.0.1:25"])
        .run();
    assert_eq!((source.code, source.said()), (Some(0), String::new()));
    let queued = tree.todo();
    assert_eq!(queued.len(), 40);
    assert!(queued.iter().all(|message| message.recipients().len() == 2));
}
