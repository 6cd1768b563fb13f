//! qmail-send: what becomes of mail that cannot be delivered, and when it is tried again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::sys::signal::Signal;
use qmail_conformance::maildir::Maildir;
use qmail_conformance::{Tree, files, wait};

/// A tree where joe refuses mail with these words, and jane gets hers.
fn refusing(program: &str) -> (Tree, Maildir) {
    let tree = Tree::under_test();
    tree.user("joe").instruct("", format!("|{program}; exit 100\n"));
    let jane = tree.user("jane").uses_maildir();
    (tree, jane)
}

/// What jane got, as text, without the lines that delivery put in front.
fn only_message(maildir: &Maildir) -> String {
    let _ = maildir.wait_for(1);
    let text = maildir.only();
    text.splitn(4, '\n').nth(3).unwrap().to_owned()
}

#[test]
fn a_bounce_says_what_happened_and_returns_the_message() {
    let (tree, jane) = refusing("echo go away");
    tree.queue("jane@test.example", &["joe@test.example"], "Subject: x\n\nbody\n");
    let queued = tree.only_todo();
    let running = tree.start();
    running.wait_for("bounce msg ");
    let message = only_message(&jane);
    let (date, rest) = message.split_once('\n').unwrap();
    assert!(date.starts_with("Date: ") && date.ends_with(" -0000"), "{date}");
    let expected = format!(
        "From: MAILER-DAEMON@test.example\n\
         To: jane@test.example\n\
         Subject: failure notice\n\
         \n\
         Hi. This is the qmail-send program at test.example.\n\
         I'm afraid I wasn't able to deliver your message to the following addresses.\n\
         This is a permanent error; I've given up. Sorry it didn't work out.\n\
         \n\
         <joe@test.example>:\n\
         go away\n\
         \n\
         --- Below this line is a copy of the message.\n\
         \n\
         Return-Path: <jane@test.example>\n\
         {}",
        queued.text()
    );
    assert_eq!(rest, expected);
    let whole = jane.only();
    assert!(whole.starts_with("Return-Path: <>\nDelivered-To: jane@test.example\n"), "{whole}");
    let line = running.wait_for("bounce msg ");
    let process = line.rsplit(' ').next().unwrap();
    assert_eq!(line, format!("bounce msg {} qp {process}", queued.number));
    assert!(whole.contains(&format!("Received: (qmail {process} invoked ")), "{whole}");
    if !tree.is_single_user() {
        assert!(whole.contains(" invoked for bounce); "), "{whole}");
    }
    let _ = running.wait_for_several("end msg", 2);
    wait::until("an empty queue", || tree.queue_is_empty().then_some(()));
}

#[test]
fn the_controls_name_the_sender_of_bounces() {
    let (tree, jane) = refusing("echo no");
    tree.control("bouncefrom", "post master\n");
    tree.control("bouncehost", "bounces.example\n");
    tree.queue("jane@test.example", &["joe@test.example"], "x\n");
    let _running = tree.start();
    let message = only_message(&jane);
    assert!(message.contains("\nFrom: \"post master\"@bounces.example\n"), "{message}");
    assert!(message.contains("\nHi. This is the qmail-send program at bounces.example.\n"));
}

#[test]
fn all_failures_of_a_message_come_in_one_bounce() {
    let (tree, jane) = refusing("echo no");
    tree.control("concurrencylocal", "1\n");
    tree.user("joe").instruct("-b", "|printf 'two\\n\\nlines\\n\\n\\n'; exit 100\n");
    tree.user("joe").instruct("-c", "|printf nothing; exit 100\n");
    let recipients = ["joe@test.example", "joe-b@test.example", "joe-c@test.example"];
    tree.queue("jane@test.example", &recipients, "x\n");
    let _running = tree.start();
    let message = only_message(&jane);
    let expected = "\n\n<joe@test.example>:\nno\n\n\
        <joe-b@test.example>:\ntwo\n/lines\n/\n\n\
        <joe-c@test.example>:\nnothing\n\n\
        --- Below this line is a copy of the message.\n";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn a_bounce_waits_for_the_other_recipients() {
    let (tree, jane) = refusing("echo no");
    tree.user("joe").instruct("-b", "|exit 111\n");
    tree.queue("jane@test.example", &["joe@test.example", "joe-b@test.example"], "x\n");
    let number = tree.only_todo().number;
    let running = tree.start();
    running.wait_for("failure");
    running.wait_for("deferral");
    let file = tree.path("queue/bounce").join(number.to_string());
    // It is logged first, and then noted.
    let noted = b"<joe@test.example>:\nno\n\n";
    wait::until("the failure to be noted", || {
        (std::fs::read(&file).is_ok_and(|text| text == noted)).then_some(())
    });
    assert_eq!(files::mode(&file), 0o600);
    assert!(jane.messages().is_empty());
    tree.user("joe").instruct("-b", "|exit 0\n");
    running.signal(Signal::SIGALRM);
    assert!(only_message(&jane).contains("<joe@test.example>:\nno\n"));
    let _ = running.wait_for_several("end msg", 1);
    assert!(!file.exists());
}

#[test]
fn a_prefix_of_virtualdomains_is_taken_off_in_bounces() {
    let (tree, jane) = refusing("echo no");
    tree.control("virtualdomains", "v.example:joe\nwhole@v.example:joe-x\n");
    tree.user("joe").instruct("-default", "|echo no; exit 100\n");
    tree.control("concurrencylocal", "1\n");
    tree.queue("jane@test.example", &["info@v.example", "whole@v.example"], "x\n");
    let _running = tree.start();
    let message = only_message(&jane);
    // Only domains are looked up for that, not whole addresses: here x is left.
    let expected = "\n<info@v.example>:\nno\n\n<x-whole@v.example>:\nno\n\n";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn a_bounce_that_bounces_goes_to_the_postmaster() {
    let (tree, jane) = refusing("echo no");
    tree.control("doublebounceto", "jane\n");
    tree.control("doublebouncehost", "test.example\n");
    tree.queue("", &["joe@test.example"], "Subject: a bounce\n\n");
    let queued = tree.only_todo();
    let running = tree.start();
    let message = only_message(&jane);
    let start = message.split_once('\n').unwrap().1;
    let expected = format!(
        "From: MAILER-DAEMON@test.example\n\
         To: jane@test.example\n\
         Subject: failure notice\n\
         \n\
         Hi. This is the qmail-send program at test.example.\n\
         I tried to deliver a bounce message to this address, but the bounce bounced!\n\
         \n\
         <joe@test.example>:\n\
         no\n\
         \n\
         --- Below this line is the original bounce.\n\
         \n\
         Return-Path: <>\n\
         {}",
        queued.text()
    );
    assert_eq!(start, expected);
    assert!(jane.only().starts_with("Return-Path: <#@[]>\n"), "{}", jane.only());
    let _ = running.wait_for_several("end msg", 2);
}

#[test]
fn double_bounces_go_to_postmaster_at_me_by_default() {
    let (tree, _) = refusing("echo no");
    let postmaster = tree.alias("postmaster").uses_maildir();
    tree.queue("", &["joe@test.example"], "x\n");
    let _running = tree.start();
    assert!(only_message(&postmaster).contains("\nTo: postmaster@test.example\n"));
}

#[test]
fn a_triple_bounce_is_discarded() {
    let (tree, jane) = refusing("echo no");
    tree.control("doublebounceto", "jane\n");
    tree.queue("#@[]", &["joe@test.example"], "x\n");
    let number = tree.only_todo().number;
    let running = tree.start();
    let line = running.wait_for("triple bounce");
    assert_eq!(line, format!("triple bounce: discarding bounce/{number}"));
    running.wait_for("end msg");
    let lines = running.stop();
    assert!(!lines.iter().any(|line| line.starts_with("bounce msg")), "{lines:#?}");
    assert!(jane.messages().is_empty());
}

#[test]
fn a_bounce_of_verp_mail_goes_to_the_address_without_its_mark() {
    let (tree, _) = refusing("echo no");
    let owner = tree.alias("owner-").uses_maildir();
    tree.queue("owner-@test.example-@[]", &["joe@test.example"], "x\n");
    let _running = tree.start();
    let message = only_message(&owner);
    assert!(message.contains("\nTo: owner-@test.example\n"), "{message}");
    assert!(message.contains("\nReturn-Path: <owner-@test.example>\n"), "{message}");
}

#[test]
fn a_sender_that_needs_quotes_gets_them() {
    let (tree, _) = refusing("echo no");
    let spaced = tree.alias("a b").uses_maildir();
    tree.queue("a b@test.example", &["joe@test.example"], "x\n");
    let _running = tree.start();
    let message = only_message(&spaced);
    assert!(message.contains("\nTo: \"a b\"@test.example\n"), "{message}");
    assert!(message.contains("\nReturn-Path: <\"a b\"@test.example>\n"), "{message}");
}

#[test]
fn an_undeliverable_host_bounces_too() {
    let tree = Tree::under_test();
    let jane = tree.user("jane").uses_maildir();
    // No name server is asked about an address with nothing in it but its host.
    tree.control("smtproutes", ":127.0.0.1:1\n");
    tree.control("queuelifetime", "0\n");
    tree.queue("jane@test.example", &["x@far.example"], "x\n");
    age(&tree, Duration::ZERO);
    let running = tree.start();
    running.wait_for("starting delivery 1: msg ");
    running.wait_for("to remote x@far.example");
    // Young mail is only put off; see below for old mail.
    running.wait_for("delivery 1: deferral: Sorry,_I_wasn't_able_to_establish_an_SMTP_connection.");
    assert!(jane.messages().is_empty());
}

/// Makes the only message this much older, while qmail-send does not run.
fn age(tree: &Tree, age: Duration) {
    for file in tree.queue_files("info") {
        files::set_times(&tree.path("queue/info").join(file), SystemTime::now() - age);
    }
}

#[test]
fn mail_that_is_too_old_is_tried_once_more_and_then_bounces() {
    let tree = Tree::under_test();
    tree.user("joe").instruct("", "|echo later; exit 111\n");
    let jane = tree.user("jane").uses_maildir();
    tree.control("queuelifetime", "1000\n");
    tree.queue("jane@test.example", &["joe@test.example"], "x\n");
    let running = tree.start();
    running.wait_for("delivery 1: deferral: later/");
    running.stop();
    age(&tree, Duration::from_secs(1100));
    let running = tree.start();
    running.wait_for("status:");
    running.signal(Signal::SIGALRM);
    let text = "later/I'm_not_going_to_try_again;_this_message_has_been_in_the_queue_too_long./";
    running.wait_for(&format!("delivery 1: failure: {text}"));
    let message = only_message(&jane);
    let expected = "<joe@test.example>:\nlater\nI'm not going to try again; \
        this message has been in the queue too long.\n\n---";
    assert!(message.contains(expected), "{message}");
}

/// Seconds since the epoch of the last modification.
fn modified(path: &std::path::Path) -> u64 {
    let time = std::fs::metadata(path).unwrap().modified().unwrap();
    time.duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn the_next_attempt_is_a_square_later() {
    // Ages in seconds, and the root of the age of the next attempt.
    for (channel, skip) in [("local", 10), ("remote", 20)] {
        for age_in_seconds in [36_u64, 405, 10_010] {
            let tree = Tree::under_test();
            tree.user("joe").instruct("", "|exit 111\n");
            tree.control("smtproutes", ":127.0.0.1:1\n");
            let host = if channel == "local" { "test.example" } else { "far.example" };
            tree.queue("", &[&format!("joe@{host}")], "x\n");
            let number = tree.only_todo().number;
            let running = tree.start();
            running.wait_for("deferral");
            running.stop();
            age(&tree, Duration::from_secs(age_in_seconds));
            let file = tree.message_file(channel, number);
            files::set_times(&file, SystemTime::now() - Duration::from_secs(5));
            let birth = modified(&tree.message_file("info", number));
            let running = tree.start();
            running.wait_for("deferral");
            running.stop();
            let root = age_in_seconds.isqrt() + skip;
            assert_eq!(modified(&file), birth + root * root, "{channel} {age_in_seconds}");
        }
    }
}

#[test]
fn an_attempt_that_is_not_due_is_not_made() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.instruct("", "|exit 111\n");
    tree.queue("", &["joe@test.example"], "x\n");
    let running = tree.start();
    running.wait_for("deferral");
    running.stop();
    joe.instruct("", "|exit 0\n");
    let running = tree.start();
    running.wait_for("status:");
    tree.queue("", &["jane@test.example"], "y\n");
    tree.user("jane").instruct("", "|exit 0\n");
    running.wait_for("end msg");
    assert_eq!(running.lines().iter().filter(|line| line.contains("starting")).count(), 1);
    running.signal(Signal::SIGALRM);
    running.wait_for("starting delivery 2: ");
    let _ = running.wait_for_several("end msg", 2);
}

#[test]
fn a_bounce_that_cannot_be_queued_is_tried_later() {
    let (tree, jane) = refusing("echo no");
    let script = tree.scratch().join("queue-program");
    files::write_script(&script, "exit 71");
    tree.queue("jane@test.example", &["joe@test.example"], "x\n");
    let number = tree.only_todo().number;
    let program = tree.program("qmail-start").arg("./Maildir/").env("QMAILQUEUE", &script);
    let running = qmail_conformance::log::Running::of(program);
    running.wait_for("warning: trouble injecting bounce message, will try later");
    running.stop();
    assert!(tree.path("queue/bounce").join(number.to_string()).exists());
    assert!(jane.messages().is_empty());
    let running = tree.start();
    running.wait_for("bounce msg ");
    assert!(only_message(&jane).contains("<joe@test.example>:\nno\n"));
}
