//! qmail-popup and checkpassword: who may read.

use qmail_conformance::pop3::Session;
use qmail_conformance::process::Finished;
use qmail_conformance::{Need, Tree, files};

/// qmail-popup in front of a script that tells what it was given on descriptor 3.
fn popup(tree: &Tree, script: &str) -> Session {
    let file = tree.scratch().join("check");
    files::write_script(&file, script);
    let program = tree.program("qmail-popup").arg("pop.test.example").arg(file).arg("argument");
    Session::with(program.converse())
}

const TELL: &str = "tr '\\000' '|' <&3; echo \" $1\"";

#[test]
fn the_greeting_is_a_challenge() {
    let tree = Tree::under_test();
    let mut session = popup(&tree, TELL);
    let greeting = session.line();
    let challenge = greeting.strip_prefix("+OK <").unwrap().strip_suffix("@pop.test.example>");
    let (process, time) = challenge.unwrap().split_once('.').unwrap();
    assert!(process.parse::<u32>().is_ok() && time.parse::<u64>().unwrap() > 1_700_000_000);
}

#[test]
fn before_the_password_there_is_little_to_say() {
    let tree = Tree::under_test();
    let mut session = popup(&tree, TELL);
    session.line();
    let table = [
        ("NOOP", "+OK "),
        ("PASS x", "-ERR USER first"),
        ("USER", "-ERR syntax error"),
        ("STAT", "-ERR authorization first"),
        ("", "-ERR authorization first"),
        ("APOP joe", "-ERR syntax error"),
        ("USER joe", "+OK "),
        ("PASS", "-ERR syntax error"),
        ("user jane", "+OK "),
        ("QUIT", "+OK "),
    ];
    for (command, reply) in table {
        assert_eq!(session.command(command), reply, "{command}");
    }
    assert_eq!((session.rest(), session.end()), (String::new(), Some(1)));
}

#[test]
fn user_and_pass_reach_the_checker_with_the_challenge() {
    let tree = Tree::under_test();
    let mut session = popup(&tree, TELL);
    let greeting = session.line();
    let challenge = greeting.strip_prefix("+OK ").unwrap().to_owned();
    assert_eq!(session.command("USER joe x"), "+OK ");
    session.send("PASS  a b \r\n");
    assert_eq!(session.rest(), format!("joe x|a b |{challenge}| argument\n"));
    assert_eq!(session.end(), Some(1));
}

#[test]
fn apop_reaches_the_checker_too() {
    let tree = Tree::under_test();
    let mut session = popup(&tree, TELL);
    let greeting = session.line();
    let challenge = greeting.strip_prefix("+OK ").unwrap().to_owned();
    session.send("APOP joe 0123 45\r\n");
    assert_eq!(session.rest(), format!("joe|0123 45|{challenge}| argument\n"));
}

#[test]
fn a_checker_that_refuses_or_crashes_is_told() {
    let tree = Tree::under_test();
    let table = [
        ("cat <&3 > /dev/null; exit 1", "-ERR authorization failed\r\n"),
        ("cat <&3 > /dev/null; exit 111", "-ERR authorization failed\r\n"),
        ("cat <&3 > /dev/null; kill -9 $$", "-ERR aack, child crashed\r\n"),
    ];
    for (script, reply) in table {
        let mut session = popup(&tree, script);
        session.line();
        assert_eq!(session.command("USER joe"), "+OK ");
        session.send("PASS secret\r\n");
        assert_eq!(session.rest(), reply, "{script}");
        assert_eq!(session.end(), Some(1));
    }
}

#[test]
fn a_missing_checker_is_a_failure() {
    let tree = Tree::under_test();
    let program = tree.program("qmail-popup").args(["pop.test.example", "/nonexistent/check"]);
    let mut session = Session::with(program.converse());
    session.line();
    assert_eq!(session.command("USER joe"), "+OK ");
    assert_eq!(session.command("PASS secret"), "-ERR authorization failed");
}

#[test]
fn without_arguments_it_says_how_it_is_used() {
    let tree = Tree::under_test();
    for words in [&[][..], &["pop.test.example"]] {
        let finished = tree.program("qmail-popup").args(words.iter().copied()).run();
        let text = "-ERR usage: popup hostname subprogram\r\n";
        assert_eq!((finished.code, finished.text().as_str()), (Some(1), text));
    }
}

/// Runs the tree's checkpassword on these bytes at descriptor 3.
fn check(tree: &Tree, bytes: &[u8], program: &[&str]) -> Finished {
    let file = tree.scratch().join("three");
    files::write(&file, bytes);
    let redirection = format!("3<{}", file.display());
    tree.program("checkpassword").args(program.iter().copied()).redirected(&redirection).run()
}

#[test]
fn checkpassword_accepts_the_right_password() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) || tree.lacks(Need::Program("checkpassword")) {
        return;
    }
    let joe = tree.user("joe");
    let script = "echo $USER $HOME $SHELL; id -u; id -g; id -G; pwd; cat <&3 2>/dev/null";
    let finished = check(&tree, b"joe\0secret\0<1.2@x>\0more", &["sh", "-c", script]);
    let (id, home) = (joe.identity(), joe.home().display());
    let expected = format!("joe {home} /bin/sh\n{}\n{}\n{}\n{home}\n", id.uid, id.gid, id.gid);
    assert_eq!(finished.text(), expected);
}

#[test]
fn checkpassword_refuses_everything_else() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) || tree.lacks(Need::Program("checkpassword")) {
        return;
    }
    let table: [(&[u8], i32); 10] = [
        (b"joe\0wrong\0x\0", 1),
        (b"joe\0\0x\0", 1),
        (b"nobody-here\0secret\0x\0", 1),
        (b"alias\0\0x\0", 1),
        (b"root\0\0x\0", 1),
        (b"joe\0$6$wZyZ1iAeQxHq2V1b$\0x\0", 1),
        (b"joe", 2),
        (b"joe\0secret", 2),
        (b"joe\0secret\0x", 2),
        (b"", 2),
    ];
    for (bytes, code) in table {
        let finished = check(&tree, bytes, &["echo", "accepted"]);
        let shown = String::from_utf8_lossy(bytes);
        assert_eq!((finished.code, finished.text()), (Some(code), String::new()), "{shown:?}");
    }
    let long = [b"joe\0secret\0x\0".to_vec(), vec![b'x'; 600]].concat();
    let finished = check(&tree, &long, &["echo", "accepted"]);
    assert!(matches!(finished.code, Some(1 | 2)), "{:?}", finished.code);
    assert_eq!(check(&tree, b"joe\0secret\0x\0", &[]).code, Some(2));
}

#[test]
fn a_user_reads_his_mail() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) || tree.lacks(Need::Program("checkpassword")) {
        return;
    }
    let joe = tree.user("joe");
    let _ = joe.make_maildir("Maildir");
    joe.write("Maildir/new/1.x.h", "Subject: x\n\nhello\n");
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(100);
    files::set_times(&joe.home().join("Maildir/new/1.x.h"), long_ago);
    let program = tree.program("qmail-popup").arg("pop.test.example");
    let program = program.args(["checkpassword", "qmail-pop3d", "Maildir"]);
    let mut session = Session::with(program.converse());
    session.line();
    assert_eq!(session.command("USER joe"), "+OK ");
    assert_eq!(session.command("PASS secret"), "+OK ");
    assert_eq!(session.listing("RETR 1"), "Subject: x\r\n\r\nhello\r\n\r\n");
    assert_eq!(session.command("DELE 1"), "+OK ");
    assert_eq!(session.command("QUIT"), "+OK ");
    assert_eq!(session.rest(), "");
    assert!(files::names(&joe.home().join("Maildir/new")).is_empty());
}
