//! The known vulnerabilities of the qmail family, each with what its exploit would have to do. What
//! follows from each is in docs/THREATS.md.

use qmail_conformance::local::Delivery;
use qmail_conformance::process::Program;
use qmail_conformance::queue::envelope;
use qmail_conformance::{Need, Tree, files};

/// Much less than the long lines below.
const MEMORY: u32 = 32_000;

/// A line longer than the memory.
const LONG: usize = 40_000_000;

fn long() -> Vec<u8> {
    vec![b'x'; LONG]
}

/// None for the original, which docs/THREATS.md says to fail here.
fn ours() -> Option<Tree> {
    Some(Tree::under_test()).filter(|tree| !tree.is_original())
}

/// Gives a server a first word, a long line and a farewell; what it says.
fn talk(program: Program<'_>, word: &str) -> String {
    let input = [word.as_bytes(), &long(), b"\r\nQUIT\r\n"].concat();
    let finished = program.with_memory(MEMORY).stdin(input).run();
    assert_eq!(finished.signal, None, "{word}: {}", finished.said());
    assert!(!finished.said().contains("memory"), "{word}: {}", finished.said());
    finished.text()
}

#[test]
fn cve_2005_1513_a_line_of_a_message_needs_no_memory() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    let maildir = joe.uses_maildir();
    let message = [b"Subject: x\n\n".as_slice(), &long()].concat();
    let delivery = Delivery { message, ..Delivery::to(&joe) };
    let finished = tree.local_program(&joe, &delivery).with_memory(MEMORY).run();
    assert_eq!(finished.code, Some(0), "{}", finished.said());
    assert!(maildir.messages()[0].len() > LONG);
}

#[test]
fn cve_2005_1513_an_address_needs_no_memory() {
    let Some(tree) = ours() else { return };
    let finished = tree.queue_as(tree.user("jane").identity(), b"x\n", &long());
    assert_eq!(finished.code, Some(91), "no F");
    let long = [b"F".as_slice(), &long()].concat();
    let finished = tree.queue_as(tree.user("jane").identity(), b"x\n", &long);
    assert_eq!((finished.code, tree.queued()), (Some(11), 0));
}

#[test]
fn cve_2005_1514_a_command_needs_no_memory() {
    let Some(tree) = ours() else { return };
    for word in ["HELO ", "\0"] {
        let said = talk(tree.smtpd_program(), word);
        assert!(said.lines().last().is_some_and(|line| line.starts_with("221 ")), "{said}");
    }
    let joe = tree.user("joe");
    let _ = joe.make_maildir("box");
    let pop3d = tree.program("qmail-pop3d").arg("box").run_as(joe.identity());
    let said = talk(pop3d.in_directory(joe.home()), "RETR ");
    assert!(said.lines().last().is_some_and(|line| line.starts_with("+OK")), "{said}");
}

#[test]
fn cve_2005_1515_an_address_in_a_session_needs_no_memory() {
    let Some(tree) = ours() else { return };
    for word in ["MAIL FROM:<", "MAIL FROM:<a@b>\r\nRCPT TO:<joe@"] {
        let said = talk(tree.smtpd_program(), word);
        assert!(said.lines().last().is_some_and(|line| line.starts_with("221 ")), "{said}");
    }
    assert_eq!(tree.queued(), 0);
}

#[test]
fn cve_2014_6271_no_shell_is_given_a_function_by_a_sender() {
    let Some(tree) = ours() else { return };
    let joe = tree.user("joe");
    joe.instruct("-default", "|env > variables; /bin/bash -c :\n");
    let exploit = "() { :;}; touch pwned;";
    let delivery = Delivery { sender: exploit.into(), ..Delivery::to_extension(&joe, exploit) };
    let finished = tree.deliver(&joe, &delivery);
    assert_eq!(finished.code, Some(0), "{}", finished.said());
    let variables = joe.read("variables");
    assert!(variables.contains("SENDER=_) { :;};"), "{variables}");
    assert!(!variables.lines().any(|line| line.contains("=() {")), "{variables}");
    assert!(!joe.home().join("pwned").exists());
}

#[test]
fn cve_2014_6271_no_shell_is_given_a_function_by_a_client() {
    let Some(tree) = ours() else { return };
    let count = "$(env | grep -c '=() ')";
    let check = tree.script("check", &format!("echo \"450 {count}\" >&4; exit 100"));
    let queue = tree.script("queue", &format!("cat >/dev/null; cat <&1 >/dev/null; exit 2{count}"));
    let variables = [
        ("RCPTCHECK", check.as_str()),
        ("QMAILQUEUE", &queue),
        ("TCPREMOTEINFO", "() { :;}; touch pwned"),
    ];
    let function = "() { :;}; touch pwned;";
    let session = |variables: &[(&str, &str)], plugin: &str| {
        tree.control("smtpplugins", format!("[helo]\n:true\n[mail]\n:true\n[rcpt]\n{plugin}\n"));
        let mut session = tree.smtpd_with(variables);
        session.command(format!("EHLO {function}"));
        assert_eq!(session.command(format!("MAIL FROM:<\"{function}\"@x>")).code, 250);
        let said = session.command(format!("RCPT TO:<\"{function}\"@test.example>")).text;
        (session, said)
    };
    let plugin = format!(":echo \"E450 {count}\"");
    assert_eq!(session(&variables, &plugin).1, "450 0\r\n");
    assert_eq!(session(&variables, "").1, "450 0\r\n");
    let (mut session, _) = session(&variables[1..], "");
    // 20, and not one for each variable more.
    assert_eq!(session.data("x\r\n").text, "554 qq permanent problem (#5.3.0)\r\n");
}

#[test]
fn cve_2020_3811_and_3812_nobody_looks_for_mailboxes_as_root() {
    let tree = Tree::under_test();
    assert!(!tree.path("bin").join("qmail-verify").exists());
    if tree.lacks(Need::Root) || tree.lacks(Need::Program("qmail-chkuser")) {
        return;
    }
    let joe = tree.user("joe");
    joe.instruct("-secret", "./Maildir/\n");
    files::set_mode(joe.home(), 0o700);
    let ask = |address: &str| {
        let program = tree.program("qmail-chkuser").run_as(tree.accounts().qmaild);
        program.stdin(format!("{address}\0")).run().text()
    };
    // What is in a home that is closed to it, qmail-chkuser cannot tell.
    assert_eq!(ask("joe-secret@test.example"), ask("joe-nothing@test.example"));
    // It runs no commands, and leaves the home of no user.
    for hostile in ["$(touch pwned)@test.example", "joe-/../../etc/passwd@test.example"] {
        assert_eq!(ask(hostile).len(), 1, "{hostile}");
    }
    assert!(!tree.path("queue/pwned").exists() && !tree.path("pwned").exists());
}

#[test]
fn cve_2023_51764_to_51766_one_message_is_not_two() {
    for end in ["\r\n.\n", "\n.\r\n", "\n.\n", "\r.\r", "\r.\r\n", "\r\n.\r", "\n.\r"] {
        let tree = Tree::under_test();
        let mut session = tree.smtpd().mail_from("a@b").rcpt_to("joe@here");
        assert_eq!(session.command("DATA").code, 354);
        let second = "MAIL FROM:<forged@bank>\r\nRCPT TO:<joe@here>\r\nDATA\r\nforged\r\n.\r\n";
        session.send(format!("first{end}{second}QUIT\r\n"));
        let _ = session.rest();
        let senders: Vec<String> = tree.todo().iter().map(|queued| queued.sender()).collect();
        assert!(senders.iter().all(|sender| sender == "a@b"), "{end:?}: {senders:?}");
    }
}

#[test]
fn the_queue_gets_no_second_envelope_from_the_first() {
    let tree = Tree::under_test();
    let twice = [envelope("a@b", &["joe@here"]), envelope("forged@bank", &["joe@here"])].concat();
    let finished = tree.queue_as(tree.user("jane").identity(), b"x\n", &twice);
    assert_eq!(finished.code, Some(0));
    assert_eq!((tree.only_todo().sender(), tree.only_todo().recipients().len()), ("a@b".into(), 1));
}
