//! The commands of .qmail files, as qmail-local calls them.

use crate::support::{Home, outcome, run};

const FORWARD: &str = env!("CARGO_BIN_EXE_forward");
const CONDREDIRECT: &str = env!("CARGO_BIN_EXE_condredirect");
const EXCEPT: &str = env!("CARGO_BIN_EXE_except");
const BOUNCESAYING: &str = env!("CARGO_BIN_EXE_bouncesaying");
const PRELINE: &str = env!("CARGO_BIN_EXE_preline");
const QRECEIPT: &str = env!("CARGO_BIN_EXE_qreceipt");
const QSMHOOK: &str = env!("CARGO_BIN_EXE_qsmhook");
const QBIFF: &str = env!("CARGO_BIN_EXE_qbiff");
const MESSAGE: &[u8] = b"Subject: x\n\nbody\n";

#[test]
fn forward_queues_the_message_behind_its_delivered_to_line() {
    let home = Home::new();
    let done = run(home.command(FORWARD).args(["a@b", "c"]), MESSAGE);
    assert_eq!(done.code, Some(0));
    let number = done.error.strip_prefix("forward: qp ").unwrap().trim_end();
    assert!(number.parse::<u32>().is_ok());
    assert_eq!(home.read("message"), "Delivered-To: joe-e@here\nSubject: x\n\nbody\n");
    assert_eq!(home.read("envelope"), "Fnew@x\0Ta@b\0Tc\0\0");
}

#[test]
fn forward_tells_what_the_queue_said() {
    let home = Home::new();
    for (code, exit, text) in [
        ("31", 100, "mail server permanently rejected message (#5.3.0)"),
        ("71", 111, "mail server temporarily rejected message (#4.3.0)"),
    ] {
        home.script("bin/qmail-queue", &format!("exit {code}"));
        let done = run(home.command(FORWARD).arg("a@b"), MESSAGE);
        assert_eq!(done.said(), (exit, format!("forward: fatal: {text}\n").as_str()));
    }
}

#[test]
fn forward_works_in_deliveries_only() {
    let home = Home::new();
    for (name, line) in [
        ("NEWSENDER", "forward: fatal: NEWSENDER not set\n"),
        ("DTLINE", "forward: fatal: DTLINE not set\n"),
    ] {
        let done = run(home.command(FORWARD).arg("a@b").env_remove(name), MESSAGE);
        assert_eq!(done.said(), (100, line));
    }
    assert!(!home.has("message"));
}

#[test]
fn forward_queues_nothing_of_a_message_that_cannot_be_read() {
    let home = Home::new();
    let directory = std::fs::File::open(home.path("bin")).unwrap();
    let done = outcome(home.command(FORWARD).arg("a@b").stdin(directory));
    let line = "forward: fatal: unable to read message: is a directory\n";
    assert_eq!(done.said(), (111, line));
    assert!(!home.has("envelope") || home.read("envelope").is_empty());
}

#[test]
fn condredirect_redirects_if_the_program_says_so() {
    let home = Home::new();
    let mut command = home.command(CONDREDIRECT);
    let done = run(command.args(["a@b", "grep", "-q", "Subject"]), MESSAGE);
    assert_eq!(done.code, Some(99));
    assert!(done.error.starts_with("condredirect: qp "));
    assert_eq!(home.read("message"), "Delivered-To: joe-e@here\nSubject: x\n\nbody\n");
    assert_eq!(home.read("envelope"), "Fs@x\0Ta@b\0\0");
}

#[test]
fn condredirect_does_nothing_if_the_program_says_no() {
    let home = Home::new();
    let command = |script: &str| {
        let mut command = home.command(CONDREDIRECT);
        run(command.args(["a@b", "sh", "-c", script]), MESSAGE)
    };
    assert_eq!(command("exit 1").said(), (0, ""));
    let line = "condredirect: fatal: temporary child error\n";
    assert_eq!(command("exit 111").said(), (111, line));
    let line = "condredirect: fatal: child crashed\n";
    assert_eq!(command("kill -9 $$").said(), (111, line));
    assert!(!home.has("message"));
    let usage = "condredirect: usage: condredirect newaddress program [ arg ... ]\n";
    assert_eq!(run(home.command(CONDREDIRECT).arg("a@b"), MESSAGE).said(), (100, usage));
}

#[test]
fn condredirect_cannot_redirect_what_it_cannot_rewind() {
    let home = Home::new();
    let mut command = home.command(CONDREDIRECT);
    command.args(["a@b", "true"]).stdin(std::process::Stdio::piped());
    let line = "condredirect: fatal: unable to rewind: unseekable descriptor\n";
    assert_eq!(outcome(&mut command).said(), (111, line));
}

#[test]
fn except_turns_answers_round() {
    let home = Home::new();
    let except = |words: &[&str]| run(home.command(EXCEPT).args(words), MESSAGE).code.unwrap();
    assert_eq!(except(&["true"]), 100);
    assert_eq!(except(&["grep", "-q", "nothing"]), 0);
    assert_eq!(except(&["/nonexistent"]), 0);
    assert_eq!(except(&["sh", "-c", "exit 111"]), 111);
    let usage = "except: usage: except program [ arg ... ]\n";
    assert_eq!(run(&mut home.command(EXCEPT), b"").said(), (100, usage));
}

#[test]
fn bouncesaying_says_it_if_the_program_agrees() {
    let home = Home::new();
    let say = |words: &[&str]| run(home.command(BOUNCESAYING).args(words), MESSAGE);
    assert_eq!(say(&["go away"]).said(), (100, "go away\n"));
    assert_eq!(say(&["go away", "true"]).said(), (100, "go away\n"));
    assert_eq!(say(&["go away", "false"]).said(), (0, ""));
    let line = "bouncesaying: fatal: temporary child error\n";
    assert_eq!(say(&["go away", "sh", "-c", "exit 111"]).said(), (111, line));
    let usage = "bouncesaying: usage: bouncesaying error [ program [ arg ... ] ]\n";
    assert_eq!(say(&[]).said(), (100, usage));
}

#[test]
fn preline_puts_lines_in_front() {
    let home = Home::new();
    let preline = |words: &[&str]| {
        let done = run(home.command(PRELINE).args(words), MESSAGE);
        assert_eq!(done.said(), (0, ""));
        done.output
    };
    let from = "From s@x Thu Jan 01 00:00:00 1970\n";
    let (path, to) = ("Return-Path: <s@x>\n", "Delivered-To: joe-e@here\n");
    let message = "Subject: x\n\nbody\n";
    assert_eq!(preline(&["cat"]), format!("{from}{path}{to}{message}"));
    assert_eq!(preline(&["-f", "cat"]), format!("{path}{to}{message}"));
    assert_eq!(preline(&["-frdD", "cat", "-"]), format!("{to}{message}"));
}

#[test]
fn preline_ends_as_its_program_does() {
    let home = Home::new();
    let preline = |words: &[&str], input: &[u8]| {
        let done = run(home.command(PRELINE).args(words), input);
        (done.code.unwrap(), done.error)
    };
    // More than a pipe holds, and nobody reads it.
    let large = vec![b'x'; 1_000_000];
    assert_eq!(preline(&["sh", "-c", "exit 7"], &large), (7, String::new()));
    let line = "preline: fatal: unable to run /nonexistent: file does not exist\n";
    assert_eq!(preline(&["/nonexistent"], MESSAGE), (100, line.into()));
    let line = "preline: fatal: child crashed\n";
    assert_eq!(preline(&["sh", "-c", "kill -9 $$"], MESSAGE), (111, line.into()));
    let usage = "preline: usage: preline cmd [ arg ... ]\n";
    assert_eq!(preline(&["-f"], MESSAGE), (100, usage.into()));
    let usage = format!("preline: illegal option -- x\n{usage}");
    assert_eq!(preline(&["-x", "cat"], MESSAGE), (100, usage));
}

#[test]
fn preline_never_passes_half_a_message_for_all() {
    let home = Home::new();
    let directory = std::fs::File::open(home.path("bin")).unwrap();
    let mut command = home.command(PRELINE);
    command.args(["sh", "-c", "cat >/dev/null; touch delivered"]).stdin(directory);
    let line = "preline: fatal: unable to copy input: is a directory\n";
    assert_eq!(outcome(&mut command).said(), (111, line));
    assert!(!home.has("delivered"));
}

#[test]
fn qsmhook_fills_in_words_and_puts_lines_in_front() {
    let home = Home::new();
    let qsmhook = |words: &[&str]| {
        let mut command = home.command(QSMHOOK);
        command.args(words).envs([("LOCAL", "Joe-e"), ("HOST", "here"), ("SENDER", "s@x")]);
        run(&mut command, MESSAGE)
    };
    let done = qsmhook(&["-sx", "joe-", "sh", "-c", "echo \"$@\"; cat", "%%", "%u@%h", "%g%z"]);
    let from = "From s@x Thu Jan 01 00:00:00 1970\n";
    assert_eq!(done.said(), (0, ""));
    assert_eq!(done.output, format!("e@here s@x\n{from}Subject: x\n\nbody\n"));
    let done = qsmhook(&["-nPl", "cat"]);
    let lines = "Return-Path: <s@x>\nDelivered-To: joe-e@here\n";
    assert_eq!(done.output, format!("{lines}Subject: x\n\nbody\n"));
    assert_eq!(qsmhook(&["sh", "-c", "exit 7"]).code, Some(7));
    assert_eq!(qsmhook(&[]).said(), (100, "qsmhook: fatal: incorrect usage\n"));
    let done = run(home.command(QSMHOOK).arg("cat").env_remove("DTLINE"), MESSAGE);
    assert_eq!(done.said(), (100, "qsmhook: fatal: incorrect usage\n"));
}

#[test]
fn qreceipt_answers_who_asks() {
    let home = Home::new();
    let asking = b"Message-ID: <1@x>\nNotice-Requested-Upon-Delivery-To: me@here\n\n";
    assert_eq!(run(home.command(QRECEIPT).arg("me@here"), asking).said(), (0, ""));
    assert_eq!(home.read("envelope"), "F\0Ts@x\0\0");
    assert!(home.read("message").ends_with("asking.\nYour Message-ID: <1@x>\n"));
}

#[test]
fn qreceipt_leaves_all_others_alone() {
    let home = Home::new();
    let asking = b"Notice-Requested-Upon-Delivery-To: me@here\n\n";
    let receipt = |sender: &str, message: &[u8]| {
        let mut command = home.command(QRECEIPT);
        run(command.arg("me@here").env("SENDER", sender), message).code.unwrap()
    };
    assert_eq!(receipt("", asking), 0);
    assert_eq!(receipt("#@[]", asking), 0);
    assert_eq!(receipt("s@x", MESSAGE), 0);
    assert!(!home.has("message"));
    assert_eq!(receipt("s@x", b"Notice-Requested-Upon-Delivery-To: a>\n\n"), 100);
    home.script("bin/qmail-queue", "exit 31");
    assert_eq!(receipt("s@x", asking), 100);
    home.script("bin/qmail-queue", "exit 53");
    assert_eq!(receipt("s@x", asking), 111);
    let mut command = home.command(QRECEIPT);
    let usage = "qreceipt: usage: qreceipt deliveryaddress\n";
    assert_eq!(run(command.arg("me@here").env_remove("SENDER"), asking).said(), (100, usage));
}

#[test]
fn qbiff_never_fails() {
    let home = Home::new();
    assert_eq!(run(&mut home.command(QBIFF), MESSAGE).said(), (0, ""));
    assert_eq!(run(home.command(QBIFF).env_clear(), MESSAGE).said(), (0, ""));
}
