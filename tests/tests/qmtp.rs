//! qmail-qmtpd, qmail-qmqpd and qmail-qmqpc.

use qmail_conformance::conversation::Conversation;
use qmail_conformance::listener::Listener;
use qmail_conformance::process::Finished;
use qmail_conformance::queue::envelope;
use qmail_conformance::{Need, Tree};

fn netstring(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [format!("{}:", bytes.len()).as_bytes(), bytes, b","].concat()
}

/// Everything that a QMTP client sends for one message.
fn qmtp(message: &str, sender: &str, recipients: &[&str]) -> Vec<u8> {
    let recipients: Vec<u8> = recipients.iter().flat_map(netstring).collect();
    [netstring(message), netstring(sender), netstring(recipients)].concat()
}

fn qmtpd(tree: &Tree, variables: &[(&str, &str)], input: &[u8]) -> Finished {
    let program = tree.program("qmail-qmtpd").run_as(tree.accounts().qmaild);
    let program =
        program.envs(&[("TCPREMOTEIP", "192.0.2.1"), ("TCPREMOTEHOST", "client.example")]);
    program.envs(variables).stdin(input).run()
}

/// The netstrings of a reply.
fn replies(mut bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let colon = bytes.iter().position(|byte| *byte == b':').unwrap();
        let length: usize = std::str::from_utf8(&bytes[..colon]).unwrap().parse().unwrap();
        let rest = &bytes[colon + 1..];
        found.push(String::from_utf8_lossy(&rest[..length]).into_owned());
        assert_eq!(rest[length], b',');
        bytes = &rest[length + 1..];
    }
    found
}

macro_rules! tree_with {
    ($program:literal) => {{
        let tree = Tree::under_test();
        if tree.lacks(Need::Program($program)) {
            return;
        }
        tree
    }};
}

#[test]
fn a_qmtp_message_is_queued_and_acknowledged_for_each_recipient() {
    let tree = tree_with!("qmail-qmtpd");
    let finished = qmtpd(&tree, &[], &qmtp("\nSubject: x\n\nhi\r\n", "a@b", &["c@d", "e@f"]));
    assert_eq!(finished.code, Some(0));
    let queued = tree.only_todo();
    let replies = replies(&finished.output);
    assert_eq!(replies.len(), 2);
    let end = format!(" qp {}", queued.records(b'p')[0]);
    for reply in &replies {
        assert!(reply.starts_with("Kok 1") && reply.ends_with(&end), "{reply}");
    }
    assert_eq!(
        (queued.sender(), queued.recipients()),
        ("a@b".into(), vec!["c@d".into(), "e@f".into()])
    );
    let text = queued.without_received();
    let start = "Received: from client.example (192.0.2.1)\n  by unknown with QMTP; ";
    assert!(text.starts_with(start), "{text}");
    assert!(text.ends_with("-0000\nSubject: x\n\nhi\r\n"), "{text}");
}

#[test]
fn qmtp_lines_may_end_in_crlf() {
    let tree = tree_with!("qmail-qmtpd");
    let finished = qmtpd(&tree, &[], &qmtp("\ra\r\nb\rc\r\r\n\n", "a@b", &["c@d"]));
    assert_eq!(finished.code, Some(0));
    assert!(
        tree.only_todo().text().ends_with("-0000\na\nb\rc\r\n\n"),
        "{:?}",
        tree.only_todo().text()
    );
}

#[test]
fn several_qmtp_messages_come_over_one_connection() {
    let tree = tree_with!("qmail-qmtpd");
    let input = [qmtp("\nx\n", "a@b", &["c@d"]), qmtp("\ny\n", "", &["e@f"])].concat();
    let finished = qmtpd(&tree, &[], &input);
    assert_eq!((finished.code, replies(&finished.output).len()), (Some(0), 2));
    assert_eq!(tree.todo().len(), 2);
}

#[test]
fn qmtp_refusals_are_for_each_recipient() {
    let tree = tree_with!("qmail-qmtpd");
    tree.control("rcpthosts", "here.example\n");
    let long = "x".repeat(1000);
    let recipients = ["a@far.example", "b@here.example", &long, "c\0@here.example"];
    let finished = qmtpd(&tree, &[], &qmtp("\nx\n", "a@b", &recipients));
    let replies = replies(&finished.output);
    let hosts = "Dsorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)";
    let cannot = "Dsorry, I can't handle that recipient (#5.1.3)";
    assert_eq!(replies[0], hosts);
    assert!(replies[1].starts_with("Kok "), "{replies:?}");
    assert_eq!(replies[2..], [cannot, cannot]);
    assert_eq!(tree.only_todo().recipients(), ["b@here.example"]);
}

#[test]
fn qmtp_relay_clients_and_sizes() {
    let tree = tree_with!("qmail-qmtpd");
    tree.control("rcpthosts", "here.example\n");
    tree.control("databytes", "5\n");
    let finished = qmtpd(&tree, &[("RELAYCLIENT", "@m")], &qmtp("\nx\n", "a@b", &["a@far"]));
    assert!(replies(&finished.output)[0].starts_with("Kok "));
    assert_eq!(tree.only_todo().recipients(), ["a@far@m"]);
    let finished = qmtpd(&tree, &[], &qmtp("\n1234567\n", "a@b", &["a@here.example"]));
    let size = "Dsorry, that message size exceeds my databytes limit (#5.3.4)";
    assert_eq!(replies(&finished.output), [size]);
    let finished = qmtpd(&tree, &[], &qmtp("\nx\n", &"x".repeat(1000), &["a@here.example"]));
    assert_eq!(replies(&finished.output), ["Dunacceptable sender (#5.1.7)"]);
    assert_eq!(tree.todo().len(), 1);
}

#[test]
fn broken_qmtp_queues_nothing() {
    let tree = tree_with!("qmail-qmtpd");
    let whole = qmtp("\nx\n", "a@b", &["c@d"]);
    for end in 1..whole.len() {
        let finished = qmtpd(&tree, &[], &whole[..end]);
        assert_eq!(finished.code, Some(0), "{end}");
    }
    for input in [&b"0:,"[..], b"2:xy,", b"x", b"3:\nx\n.", b"99999999999999999999:"] {
        let finished = qmtpd(&tree, &[], input);
        let netqmail = tree.is_original() && finished.code == Some(0);
        let refused = matches!(finished.code, Some(100 | 111));
        assert!(refused || netqmail, "{}: {finished:?}", String::from_utf8_lossy(input));
    }
    let past = [netstring("\nx\n"), netstring("a@b"), netstring("9:a@b,")].concat();
    assert_eq!(qmtpd(&tree, &[], &past).code, Some(100));
    assert!(tree.todo().is_empty());
}

/// What a QMQP client sends.
fn qmqp(message: &str, sender: &str, recipients: &[&str]) -> Vec<u8> {
    let recipients: Vec<u8> = recipients.iter().flat_map(netstring).collect();
    netstring([netstring(message), netstring(sender), recipients].concat())
}

fn qmqpd(tree: &Tree, input: &[u8]) -> Finished {
    let program = tree.program("qmail-qmqpd").run_as(tree.accounts().qmaild);
    program.env("TCPREMOTEIP", "192.0.2.1").stdin(input).run()
}

#[test]
fn a_qmqp_message_is_queued_for_anybody() {
    let tree = tree_with!("qmail-qmqpd");
    tree.control("rcpthosts", "here.example\n");
    let finished = qmqpd(&tree, &qmqp("Subject: x\n\nhi\n", "a@b", &["c@d", "e@f"]));
    assert_eq!(finished.code, Some(0));
    let replies = replies(&finished.output);
    assert!(replies.len() == 1 && replies[0].starts_with("Kok "), "{replies:?}");
    let queued = tree.only_todo();
    assert_eq!(queued.recipients(), ["c@d", "e@f"]);
    let text = queued.without_received();
    assert!(text.starts_with("Received: from unknown (192.0.2.1)\n  by unknown with QMQP; "));
    assert!(text.ends_with("-0000\nSubject: x\n\nhi\n"), "{text}");
}

#[test]
fn qmqp_refuses_what_it_cannot_take_as_a_whole() {
    let tree = tree_with!("qmail-qmqpd");
    let long = "x".repeat(1000);
    let cannot = ["Dsorry, I can't accept addresses like that (#5.1.3)"];
    for input in [
        qmqp("x\n", &long, &["a@b"]),
        qmqp("x\n", "a@b", &["c@d", &long]),
        qmqp("x\n", "a\0b", &["c@d"]),
        qmqp("x\n", "a@b", &["c\0d"]),
    ] {
        let finished = qmqpd(&tree, &input);
        assert_eq!(
            (finished.code, replies(&finished.output)),
            (Some(0), cannot.map(str::to_owned).to_vec())
        );
    }
    let whole = qmqp("x\n", "a@b", &["c@d"]);
    for end in 1..whole.len() {
        let finished = qmqpd(&tree, &whole[..end]);
        assert_eq!(finished.output, b"", "{end}");
    }
    assert_eq!(qmqpd(&tree, &netstring("9:x,")).code, Some(100));
    assert!(tree.todo().is_empty());
}

/// Runs qmail-qmqpc on a short message.
fn qmqpc(tree: &Tree, envelope: &[u8]) -> Finished {
    use std::io::Write;
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(envelope).unwrap();
    drop(writer);
    tree.program("qmail-qmqpc").stdin("Subject: x\n\nhi\n").stdout_to(reader).run()
}

#[test]
fn qmqpc_takes_the_place_of_qmail_queue() {
    let tree = tree_with!("qmail-qmqpc");
    if tree.lacks(Need::Root) {
        return;
    }
    let program = tree.program("qmail-qmqpd").run_as(tree.accounts().qmaild);
    let _server = Listener::start(tree.listen("127.0.0.1:628"), program.into()).unwrap();
    tree.control("qmqpservers", "# comment\nnot an address\n127.0.0.9\n127.0.0.1 rest\n");
    assert_eq!(qmqpc(&tree, &envelope("a@b", &["c@d", "e@f"])).code, Some(0));
    let queued = tree.only_todo();
    assert_eq!(
        (queued.sender(), queued.recipients()),
        ("a@b".into(), vec!["c@d".into(), "e@f".into()])
    );
    assert!(queued.text().ends_with("-0000\nSubject: x\n\nhi\n"));
}

#[test]
fn qmqpc_passes_verdicts_and_troubles_on() {
    let tree = tree_with!("qmail-qmqpc");
    if tree.lacks(Need::Root) {
        return;
    }
    assert_eq!(qmqpc(&tree, &envelope("a@b", &["c@d"])).code, Some(55));
    tree.control("qmqpservers", "127.0.0.1\n");
    assert_eq!(qmqpc(&tree, &envelope("a@b", &["c@d"])).code, Some(73));
    assert_eq!(qmqpc(&tree, b"Tc@d\0\0").code, Some(91));
    assert!(matches!(qmqpc(&tree, b"Fa@b\0Tc@d\0").code, Some(54 | 91)));
    let reads = "dd bs=1 count=1 >/dev/null 2>&1;";
    for (reply, code) in [("3:Kok,", 0), ("3:Zno,", 71), ("3:Dno,", 31), ("", 74)] {
        let script = format!("{reads} printf '{reply}'");
        let program = tree.command("/bin/sh").args(["-c", &script]);
        let socket = tree.listen("127.0.0.1:628");
        let server = Listener::start(socket, program.into()).unwrap();
        let found = qmqpc(&tree, &envelope("a@b", &["c@d"])).code;
        // A server may go before everything is written to it.
        assert!(found == Some(code) || found == Some(74), "{reply}: {found:?}");
        drop(server);
    }
}

#[test]
fn a_qmtp_client_that_waits_gets_its_replies_in_time() {
    let tree = tree_with!("qmail-qmtpd");
    let mut conversation: Conversation =
        tree.program("qmail-qmtpd").run_as(tree.accounts().qmaild).converse();
    for _ in 0..2 {
        conversation.send(qmtp("\nx\n", "a@b", &["c@d"]));
        let reply = conversation.until(b',');
        assert!(String::from_utf8_lossy(&reply).contains(":Kok "), "{reply:?}");
    }
    assert_eq!(conversation.end(), Some(0));
}
