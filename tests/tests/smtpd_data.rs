//! qmail-smtpd: the message itself, and what the queue says to it.

use qmail_conformance::{Tree, files};

/// The message as queued, without the two Received lines.
fn stored(wire: &str) -> String {
    let tree = Tree::under_test();
    let reply = tree.smtpd().mail_from("a@b").rcpt_to("joe@here").data(wire);
    assert_eq!(reply.code, 250, "{wire:?}: {}", reply.text);
    let text = tree.only_todo().without_received();
    text.splitn(3, '\n').nth(2).unwrap().to_owned()
}

/// The Received lines of qmail-smtpd for a client with these variables.
fn received(variables: &[(&str, &str)], helo: Option<&str>) -> String {
    let tree = Tree::under_test();
    let mut program = tree.program("qmail-smtpd").run_as(tree.accounts().qmaild);
    program = program.envs(variables);
    let mut session = qmail_conformance::smtp::Session::with(program.converse());
    assert_eq!(session.reply().code, 220);
    if let Some(helo) = helo {
        assert_eq!(session.command(format!("HELO {helo}")).code, 250);
    }
    let reply = session.mail_from("a@b").rcpt_to("joe@here").data("x\r\n");
    assert_eq!(reply.code, 250);
    let text = tree.only_todo().without_received();
    let (line, rest) = text.split_once(" with SMTP; ").unwrap();
    let date = rest.lines().next().unwrap();
    assert!(is_date(date), "{date:?}");
    line.to_owned()
}

/// `D Mon YYYY HH:MM:SS -0000`, the day without a leading zero.
fn is_date(text: &str) -> bool {
    let fields: Vec<&str> = text.split(' ').collect();
    let [day, month, year, time, zone] = fields[..] else { return false };
    day.parse::<u8>().is_ok_and(|day| (1..=31).contains(&day))
        && !day.starts_with('0')
        && "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(' ').any(|name| name == month)
        && year.len() == 4
        && time.len() == 8
        && zone == "-0000"
}

const CLIENT: &[(&str, &str)] = &[
    ("TCPLOCALHOST", "mx.test.example"),
    ("TCPREMOTEHOST", "client.example"),
    ("TCPREMOTEIP", "192.0.2.1"),
];

#[test]
fn the_received_line_names_the_client() {
    let by = "\n  by mx.test.example";
    let plain = format!("Received: from client.example (192.0.2.1){by}");
    assert_eq!(received(CLIENT, None), plain);
    assert_eq!(received(CLIENT, Some("Client.EXAMPLE")), plain);
    let lied = format!("Received: from client.example (HELO liar.example) (192.0.2.1){by}");
    assert_eq!(received(CLIENT, Some("liar.example")), lied);
    let empty = format!("Received: from client.example (HELO ) (192.0.2.1){by}");
    assert_eq!(received(CLIENT, Some("")), empty);
}

#[test]
fn the_received_line_says_what_is_unknown() {
    assert_eq!(received(&[], None), "Received: from unknown (unknown)\n  by unknown");
    assert_eq!(
        received(&[("TCPLOCALIP", "192.0.2.2")], Some("x")),
        "Received: from unknown (HELO x) (unknown)\n  by 192.0.2.2"
    );
}

#[test]
fn the_received_line_holds_no_strange_bytes() {
    let client = [
        ("TCPLOCALHOST", "a@%+/=:-.Z9"),
        ("TCPREMOTEHOST", "ev(il\nX-Injected: 1"),
        ("TCPREMOTEINFO", "j o\te;"),
        ("TCPREMOTEIP", "1.2.3.4"),
    ];
    assert_eq!(
        received(&client, Some("<é>")),
        "Received: from ev?il?X-Injected:?1 (HELO ????) (j?o?e?@1.2.3.4)\n  by a@%+/=:-.Z9"
    );
}

#[test]
fn the_body_is_unstuffed_byte_by_byte() {
    let table = [
        ("", ""),
        ("a\r\n", "a\n"),
        ("\r\n", "\n"),
        ("..\r\n", ".\n"),
        ("...\r\n", "..\n"),
        (".a\r\n", "a\n"),
        ("a.\r\n", "a.\n"),
        ("a\r\n..b\r\n", "a\n.b\n"),
        ("a\r\n.b\r\n", "a\nb\n"),
        ("\u{e9}\0\u{7f}\r\n", "\u{e9}\0\u{7f}\n"),
    ];
    for (wire, message) in table {
        assert_eq!(stored(wire), message, "{wire:?}");
    }
}

#[test]
fn a_line_of_ten_thousand_bytes_is_kept() {
    let line = "x".repeat(10_000);
    assert_eq!(stored(&format!("{line}\r\n")), format!("{line}\n"));
}

#[test]
fn a_large_message_is_kept() {
    let wire = "..0123456789\r\n".repeat(100_000);
    assert_eq!(stored(&wire), ".0123456789\n".repeat(100_000));
}

#[test]
fn a_bare_newline_is_refused_wherever_it_is() {
    let messages = ["\n", "a\n", "a\r\n\n", "a\r\n.\n", "a\n.\r\n", "a\n.\n", ".\n", "a\r\n.\nb"];
    for message in messages {
        let tree = Tree::under_test();
        let mut session = tree.smtpd().mail_from("a@b").rcpt_to("joe@here");
        assert_eq!(session.command("DATA").code, 354);
        session.send(format!("{message}\r\n.\r\nMAIL FROM:<smuggled@evil>\r\n"));
        let reply = session.reply();
        assert_eq!(reply.code, 451, "{message:?}: {}", reply.text);
        assert!(reply.text.starts_with("451 See http"), "{}", reply.text);
        assert!(reply.text.ends_with("/docs/smtplf.html.\r\n"), "{}", reply.text);
        assert_eq!((session.rest(), session.end()), (String::new(), Some(1)), "{message:?}");
        assert_eq!(tree.todo().len(), 0, "{message:?}");
    }
}

#[test]
fn a_bare_carriage_return_is_refused_or_harmless() {
    for (wire, message) in
        [("a\rb\r\n", "a\rb\n"), ("a\r\r\n", "a\r\n"), (".\r.\r\n", ".\r.\n"), ("\ra\r\n", "\ra\n")]
    {
        let tree = Tree::under_test();
        let mut session = tree.smtpd().mail_from("a@b").rcpt_to("joe@here");
        let reply = session.data(wire);
        if tree.is_original() {
            // Stored as it is: what is sent on from there can end a message early elsewhere.
            assert_eq!(reply.code, 250, "{wire:?}");
            assert!(tree.only_todo().text().ends_with(message), "{wire:?}");
        } else {
            assert!(reply.code >= 400, "{wire:?}: {}", reply.text);
            assert_eq!(tree.todo().len(), 0, "{wire:?}");
        }
    }
}

#[test]
fn only_a_dot_between_two_whole_line_ends_ends_the_message() {
    assert_eq!(stored("a.\r\nb\r\n"), "a.\nb\n");
    let tree = Tree::under_test();
    let mut session = tree.smtpd().mail_from("a@b").rcpt_to("joe@here");
    assert_eq!(session.data("").code, 250);
    assert_eq!(session.command("NOOP").code, 250);
}

#[test]
fn a_lost_client_leaves_nothing_to_deliver() {
    let tree = Tree::under_test();
    let mut session = tree.smtpd().mail_from("a@b").rcpt_to("joe@here");
    assert_eq!(session.command("DATA").code, 354);
    session.send("Subject: x\r\n\r\nhalf a line");
    assert_eq!(session.end(), Some(1));
    qmail_conformance::wait::until("the queue to be cleaned up", || {
        tree.queue_is_empty().then_some(())
    });
}

#[test]
fn databytes_limits_what_is_stored() {
    let tree = Tree::under_test();
    tree.control("databytes", "10 bytes\n");
    let too_big = "552 sorry, that message size exceeds my databytes limit (#5.3.4)\r\n";
    let table = [("123456789\r\n", true), ("1234567890\r\n", false), ("..34567890\r\n", true)];
    let mut session = tree.smtpd();
    for (wire, fits) in table {
        session = session.mail_from("a@b").rcpt_to("joe@here");
        let reply = session.data(wire);
        assert_eq!(reply.code == 250, fits, "{wire:?}: {}", reply.text);
        assert!(fits || reply.text == too_big, "{}", reply.text);
    }
    assert_eq!(tree.todo().len(), 2);
}

#[test]
fn the_databytes_variable_wins() {
    let tree = Tree::under_test();
    tree.control("databytes", "10");
    for (value, code) in [("0", 250), ("", 250), ("5", 552), ("20", 250), ("x", 250)] {
        let session = tree.smtpd_with(&[("DATABYTES", value)]);
        let reply = session.mail_from("a@b").rcpt_to("joe@here").data("12345678901234\r\n");
        assert_eq!(reply.code, code, "{value:?}");
    }
}

#[test]
fn a_hundred_hops_are_a_loop() {
    let looping = "554 too many hops, this message is looping (#5.4.6)\r\n";
    let line = "RECEIVED: x\r\ndelivered-To: y\r\n".repeat(49);
    let table = [
        (format!("{line}Received-SPF: z\r\n\r\nx\r\n"), true),
        (format!("{line}Received-SPF: z\r\n\r\nReceived: body\r\n"), true),
        (format!("{line}Received-SPF: z\r\nreceived\r\n\r\nx\r\n"), false),
        (format!("{line}Received-SPF: z\r\nX-Received: y\r\n\r\nx\r\n"), true),
        (format!("{line}receive: z\r\ndeliver: z\r\n\r\nx\r\n"), true),
        (format!("{line}Delivered-To: z\r\nSubject: y\r\nReceived: z\r\n"), false),
    ];
    for (message, goes) in table {
        let tree = Tree::under_test();
        let reply = tree.smtpd().mail_from("a@b").rcpt_to("joe@here").data(&message);
        assert_eq!(reply.code == 250, goes, "{}", reply.text);
        assert!(goes || reply.text == looping, "{}", reply.text);
        assert_eq!(tree.todo().len(), usize::from(goes));
    }
}

#[test]
fn success_names_time_and_process() {
    let tree = Tree::under_test();
    let reply = tree.smtpd().mail_from("a@b").rcpt_to("joe@here").data("x\r\n");
    let words: Vec<_> = reply.text.trim_end().split(' ').collect();
    let ["250", "ok", time, "qp", process] = words[..] else { panic!("{}", reply.text) };
    assert!(time.parse::<u64>().unwrap() > 1_700_000_000);
    assert_eq!(tree.only_todo().records(b'p'), [process]);
    let first = format!("Received: (qmail {process} invoked ");
    assert!(tree.only_todo().text().starts_with(&first));
}

#[test]
fn mail_from_the_network_says_so() {
    let tree = Tree::under_test();
    if tree.lacks(qmail_conformance::Need::Root) {
        return;
    }
    assert_eq!(tree.smtpd().mail_from("a@b").rcpt_to("joe@here").data("x\r\n").code, 250);
    assert!(tree.only_todo().text().contains(" invoked from network); "));
}

/// The reply to a message when the queue program is this script.
fn with_queue_program(body: &str) -> String {
    let tree = Tree::under_test();
    let script = tree.scratch().join("queue-program");
    files::write_script(&script, body);
    let session = tree.smtpd_with(&[("QMAILQUEUE", script.to_str().unwrap())]);
    let mut session = session.mail_from("a@b").rcpt_to("joe@here");
    let reply = session.data("x\r\n");
    assert_eq!(session.command("NOOP").code, 250);
    reply.text
}

#[test]
fn exit_codes_of_the_queue_program_become_replies() {
    let table = [
        (11, "554 envelope address too long for qq (#5.1.3)"),
        (115, "554 envelope address too long for qq (#5.1.3)"),
        (31, "554 mail server permanently rejected message (#5.3.0)"),
        (51, "451 qq out of memory (#4.3.0)"),
        (52, "451 qq timeout (#4.3.0)"),
        (53, "451 qq write error or disk full (#4.3.0)"),
        (54, "451 qq read error (#4.3.0)"),
        (55, "451 qq unable to read configuration (#4.3.0)"),
        (56, "451 qq trouble making network connection (#4.3.0)"),
        (61, "451 qq trouble in home directory (#4.3.0)"),
        (62, "451 qq trouble creating files in queue (#4.3.0)"),
        (63, "451 qq trouble creating files in queue (#4.3.0)"),
        (64, "451 qq trouble creating files in queue (#4.3.0)"),
        (65, "451 qq trouble creating files in queue (#4.3.0)"),
        (66, "451 qq trouble creating files in queue (#4.3.0)"),
        (71, "451 mail server temporarily rejected message (#4.3.0)"),
        (72, "451 connection to mail server timed out (#4.4.1)"),
        (73, "451 connection to mail server rejected (#4.4.1)"),
        (74, "451 communication with mail server failed (#4.4.2)"),
        (81, "451 qq internal bug (#4.3.0)"),
        (91, "451 qq internal bug (#4.3.0)"),
        (120, "451 unable to exec qq (#4.3.0)"),
        (12, "554 qq permanent problem (#5.3.0)"),
        (40, "554 qq permanent problem (#5.3.0)"),
        (10, "451 qq temporary problem (#4.3.0)"),
        (41, "451 qq temporary problem (#4.3.0)"),
        (99, "451 qq temporary problem (#4.3.0)"),
        (111, "451 qq temporary problem (#4.3.0)"),
        (255, "451 qq temporary problem (#4.3.0)"),
    ];
    for (code, reply) in table {
        let body = format!("cat > /dev/null\ncat <&1 > /dev/null\nexit {code}");
        assert_eq!(with_queue_program(&body), format!("{reply}\r\n"), "{code}");
    }
}

#[test]
fn a_crash_of_the_queue_program_is_temporary() {
    let body = "cat > /dev/null; cat <&1 > /dev/null; kill -9 $$";
    assert_eq!(with_queue_program(body), "451 qq crashed (#4.3.0)\r\n");
}

#[test]
fn a_queue_program_that_reads_nothing_is_no_success() {
    assert_eq!(with_queue_program("exec 0<&- 1<&-; exit 31").get(..3), Some("554"));
}

#[test]
fn a_queue_program_may_give_its_own_text() {
    let read = "cat > /dev/null; cat <&1 > /dev/null;";
    // notqmail has this channel, netqmail does not.
    let table = [
        ("Dgo away (#5.7.1)", "554 go away (#5.7.1)\r\n"),
        ("Znot now (#4.7.1)", "451 not now (#4.7.1)\r\n"),
        ("Z", "451 qq temporary problem (#4.3.0)\r\n"),
    ];
    for (text, reply) in table {
        let body = format!("{read} {{ printf '%s' '{text}' >&6; }} 2>/dev/null; exit 82");
        let said = with_queue_program(&body);
        let without = "451 qq temporary problem (#4.3.0)\r\n";
        let original = Tree::under_test().is_original();
        assert!(said == reply || original && said == without, "{text}: {said}");
    }
}

#[test]
fn a_text_of_the_queue_program_is_one_line() {
    let body = "cat > /dev/null; cat <&1 > /dev/null; printf 'Da\\r\\n250 b\\n' >&6; exit 82";
    if Tree::under_test().is_original() {
        // The text goes out as it is: whoever writes it writes replies.
        return;
    }
    let said = with_queue_program(body);
    assert!(said.starts_with("554 a") && said.lines().count() == 1, "{said:?}");
}

#[test]
fn a_missing_queue_program_is_temporary() {
    let tree = Tree::under_test();
    for name in ["/nonexistent/queue-program", ""] {
        let session = tree.smtpd_with(&[("QMAILQUEUE", name)]);
        let reply = session.mail_from("a@b").rcpt_to("joe@here").data("x\r\n");
        assert_eq!(reply.text, "451 unable to exec qq (#4.3.0)\r\n");
    }
}

#[test]
fn the_queue_program_sees_message_envelope_and_home() {
    let tree = Tree::under_test();
    let script = tree.scratch().join("queue-program");
    let seen = tree.scratch().join("seen");
    let body = format!("exec 3<&1; {{ pwd; cat; cat <&3; }} > {}", seen.display());
    files::write_script(&script, &body);
    let session = tree.smtpd_with(&[("QMAILQUEUE", script.to_str().unwrap())]);
    let reply = session.mail_from("a@b").rcpt_to("c@d").rcpt_to("e@f").data("hi\r\n");
    assert!(reply.text.starts_with("250 ok "), "{}", reply.text);
    let seen = String::from_utf8(files::read(&seen)).unwrap();
    assert!(seen.starts_with(&format!("{}\nReceived: from ", tree.home().display())), "{seen}");
    assert!(seen.ends_with("-0000\nhi\nFa@b\0Tc@d\0Te@f\0\0"), "{seen:?}");
}
