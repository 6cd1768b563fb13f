//! The program itself, between processes that the test plays.
#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

mod support;

use std::fs;

use qmail_sys::Exit;
use qmail_wire::spawn::{Command, DeliveryNumber, Verdict};
use support::{Running, Tree, is_empty, now};

fn command(delivery: DeliveryNumber, message: &str, sender: &str, recipient: &str) -> Command {
    Command {
        delivery,
        message: message.as_bytes().to_vec(),
        sender: sender.as_bytes().to_vec(),
        recipient: recipient.as_bytes().to_vec(),
    }
}

/// The lines up to one that is `last`.
fn until(running: &mut Running, last: &str) -> Vec<String> {
    let begin = running.log.lines.len();
    running.log.wait_for(last);
    running.log.lines[begin..].to_vec()
}

/// The number of the process in `bounce msg N qp Q`.
fn process(lines: &[String]) -> String {
    let line = lines.iter().find(|line| line.starts_with("bounce msg ")).unwrap();
    line.rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn a_message_found_at_the_start_is_delivered_and_removed() {
    let tree = Tree::new();
    tree.put(7, "owner-@far.example-@[]", &["joe@here.example"], &["jane@there.example"]);
    let mut running = Running::start(&tree);
    assert_eq!(running.order(), b'S');
    let verp = "owner-joe=here.example@far.example";
    assert_eq!(running.local.next(), command(0, "1/7", verp, "joe@here.example"));
    let verp = "owner-jane=there.example@far.example";
    assert_eq!(running.remote.next(), command(0, "1/7", verp, "jane@there.example"));
    running.local.report(0, Verdict::Success, "did 1+0+0\n");
    running.log.wait_for("status: local 0/10 remote 1/10");
    assert!(!tree.exists("queue/local/1/7"));
    running.remote.report(0, Verdict::Success, "127.0.0.1 accepted message.\n");
    running.clean("foop/7");
    running.log.wait_for("end msg 7");
    let expected = [
        "status: local 0/10 remote 0/10",
        "starting delivery 1: msg 7 to local joe@here.example",
        "status: local 1/10 remote 0/10",
        "starting delivery 2: msg 7 to remote jane@there.example",
        "status: local 1/10 remote 1/10",
        "delivery 1: success: did_1+0+0/",
        "status: local 0/10 remote 1/10",
        "delivery 2: success: 127.0.0.1_accepted_message./",
        "status: local 0/10 remote 0/10",
        "end msg 7",
    ];
    assert_eq!(running.log.lines, expected);
    for part in ["local", "remote", "info"] {
        assert!(is_empty(&tree.path(&format!("queue/{part}/1"))));
    }
    assert_eq!(running.stop(), ["status: exiting"]);
}

#[test]
fn a_failure_is_bounced_to_the_sender() {
    let tree = Tree::new();
    tree.write("control/virtualdomains", b"v.example:joe\n");
    tree.put(8, "me@far.example", &["a@here.example", "joe-b@v.example"], &[]);
    let mut running = Running::start(&tree);
    running.local.next();
    running.local.next();
    running.local.report(0, Verdict::Success, "ok\n");
    running.log.wait_for("status: local 1/10 remote 0/10");
    running.local.report(1, Verdict::Permanent, "Sorry.\n\nNo.\n");
    let lines = until(&mut running, "end msg 8");
    running.clean("foop/8");
    let (message, envelope) = tree.queued(&process(&lines));
    assert_eq!(envelope, "F\nTme@far.example\n\n");
    let (date, rest) = message.split_once('\n').unwrap();
    assert!(date.starts_with("Date: ") && date.ends_with(" -0000"), "{date}");
    let expected = "From: MAILER-DAEMON@here.example\n\
        To: me@far.example\n\
        Subject: failure notice\n\
        \n\
        Hi. This is the qmail-send program at here.example.\n\
        I'm afraid I wasn't able to deliver your message to the following addresses.\n\
        This is a permanent error; I've given up. Sorry it didn't work out.\n\
        \n\
        <b@v.example>:\n\
        Sorry.\n\
        /No.\n\
        \n\
        --- Below this line is a copy of the message.\n\
        \n\
        Return-Path: <me@far.example>\n\
        Received: x\n\
        Subject: y\n\
        \n\
        body\n";
    assert_eq!(rest, expected);
    assert!(is_empty(&tree.path("queue/bounce")));
    running.stop();
}

#[test]
fn a_bounce_that_fails_goes_to_the_postmaster_and_no_further() {
    let tree = Tree::new();
    tree.put(8, "", &["a@here.example"], &[]);
    let mut running = Running::start(&tree);
    running.local.next();
    running.local.report(0, Verdict::Permanent, "no\n");
    let lines = until(&mut running, "end msg 8");
    running.clean("foop/8");
    let (message, envelope) = tree.queued(&process(&lines));
    assert_eq!(envelope, "F#@[]\nTpostmaster@here.example\n\n");
    assert!(message.contains("but the bounce bounced!\n\n<a@here.example>:\nno\n\n--- Below "));
    assert!(message.contains("original bounce.\n\nReturn-Path: <>\nReceived: x\n"));
    tree.put(9, "#@[]", &["a@here.example"], &[]);
    running.news(b"DL9\0");
    running.local.next();
    running.local.report(0, Verdict::Permanent, "no\n");
    let lines = until(&mut running, "end msg 9");
    running.clean("foop/9");
    assert!(lines.contains(&"triple bounce: discarding bounce/9".to_owned()), "{lines:?}");
    assert!(is_empty(&tree.path("queue/bounce")));
    running.stop();
}

#[test]
fn a_bounce_that_cannot_be_queued_keeps_the_message() {
    let tree = Tree::new();
    tree.write("queue-program", b"#!/bin/sh\nexit 53\n");
    tree.put(8, "me@far.example", &["a@here.example"], &[]);
    let mut running = Running::start(&tree);
    running.local.next();
    running.local.report(0, Verdict::Permanent, "no\n");
    running.log.wait_for("warning: trouble injecting bounce message, will try later");
    assert_eq!(tree.read("queue/bounce/8"), "<a@here.example>:\nno\n\n");
    assert!(tree.exists("queue/info/0/8"));
    running.stop();
}

#[test]
fn a_deferral_is_tried_again_and_its_time_survives_a_stop() {
    let tree = Tree::new();
    tree.put(7, "me@far.example", &["a@here.example", "b@here.example"], &[]);
    let birth = now() - 36;
    tree.set_modified("queue/info/1/7", birth);
    let mut running = Running::start(&tree);
    running.local.next();
    running.local.next();
    running.local.report(1, Verdict::Temporary, "not now\n");
    running.local.report(0, Verdict::Success, "ok\n");
    running.log.wait_for("delivery 2: deferral: not_now/");
    running.log.wait_for("status: local 0/10 remote 0/10");
    assert_eq!(tree.read("queue/local/1/7"), "Da@here.example\0Tb@here.example\0");
    running.signal("-ALRM");
    assert_eq!(running.local.next(), command(0, "1/7", "me@far.example", "b@here.example"));
    running.signal("-TERM");
    assert_eq!(running.order(), b'S');
    assert_eq!(running.order(), b'X');
    running.log.wait_for("status: local 1/10 remote 0/10 exitasap");
    running.local.report(0, Verdict::Temporary, "still not\n");
    running.news(b"X\0");
    let (exit, lines) = running.end();
    assert_eq!(exit, Exit::Code(0));
    let expected = "delivery 3: deferral: still_not/";
    let end = ["status: local 0/10 remote 0/10 exitasap", "status: exiting"];
    assert_eq!(lines[lines.len() - 3..], [&[expected], &end[..]].concat());
    let due = tree.modified("queue/local/1/7");
    assert!((birth + 256..birth + 900).contains(&due), "{}", due - birth);
    // What is not due is not tried at the next start.
    let mut running = Running::start(&tree);
    running.news(b"Lnothing else\n\0");
    running.log.wait_for("nothing else");
    assert_eq!(running.log.lines.len(), 2);
    running.stop();
}

#[test]
fn the_attempt_after_the_lifetime_is_the_last() {
    let tree = Tree::new();
    tree.write("control/queuelifetime", b"1000\n");
    tree.put(7, "#@[]", &["a@here.example"], &[]);
    tree.set_modified("queue/info/1/7", now() - 2000);
    let mut running = Running::start(&tree);
    running.local.next();
    running.local.report(0, Verdict::Temporary, "not now\n");
    running.log.wait_for(
        "delivery 1: failure: not_now/I'm_not_going_to_try_again;_\
         this_message_has_been_in_the_queue_too_long./",
    );
    running.clean("foop/7");
    running.stop();
}

#[test]
fn reports_that_make_no_sense_are_said_and_bounce_nothing() {
    let tree = Tree::new();
    tree.put(7, "me@far.example", &["a@here.example"], &[]);
    let mut running = Running::start(&tree);
    running.local.next();
    running.local.report(3, Verdict::Permanent, "nobody\n");
    running.log.wait_for("warning: internal error: delivery report out of range");
    running.local.say(b"\0?what\0");
    running.log.wait_for("delivery 1: report mangled, will defer");
    running.log.wait_for("status: local 0/10 remote 0/10");
    assert_eq!(tree.read("queue/local/1/7"), "Ta@here.example\0");
    running.stop();
}

#[test]
fn a_failure_that_cannot_be_written_holds_up_nobody_else() {
    let tree = Tree::new();
    fs::remove_dir(tree.path("queue/bounce")).unwrap();
    tree.put(7, "me@far.example", &["a@here.example", "b@here.example"], &[]);
    let mut running = Running::start(&tree);
    running.local.next();
    running.local.next();
    running.local.report(0, Verdict::Permanent, "no\n");
    running.log.wait_for("alert: unable to append to bounce message; HELP! sleeping...");
    running.local.report(1, Verdict::Success, "ok\n");
    running.log.wait_for("delivery 2: success: ok/");
    running.log.wait_for("status: local 1/10 remote 0/10");
    assert_eq!(tree.read("queue/local/1/7"), "Ta@here.example\0Db@here.example\0");
    fs::create_dir(tree.path("queue/bounce")).unwrap();
    let lines = until(&mut running, "end msg 7");
    assert!(tree.queued(&process(&lines)).0.contains("<a@here.example>:\nno\n\n"));
    running.clean("foop/7");
    running.stop();
}

#[test]
fn no_more_than_the_spawner_can_do_and_one_message_after_the_other() {
    let tree = Tree::new();
    tree.write("control/concurrencyremote", b"0\n");
    tree.put(8, "s@h", &["a@h", "b@h", "c@h"], &["r@h"]);
    let mut running = Running::start_with(&tree, &[2], &[120]);
    running.log.wait_for("status: local 2/2 remote 0/0");
    assert_eq!(running.local.next(), command(0, "0/8", "s@h", "a@h"));
    assert_eq!(running.local.next(), command(1, "0/8", "s@h", "b@h"));
    running.local.report(0, Verdict::Success, "");
    assert_eq!(running.local.next(), command(0, "0/8", "s@h", "c@h"));
    running.local.report(0, Verdict::Success, "");
    running.local.report(1, Verdict::Success, "");
    running.log.wait_for("status: local 0/2 remote 0/0");
    running.stop();
    assert_eq!(tree.read("queue/remote/0/8"), "Tr@h\0");
}

#[test]
fn damaged_files_are_left_for_later() {
    let tree = Tree::new();
    tree.put(7, "s@h", &["a@h"], &[]);
    tree.write("queue/local/1/7", b"Qa@h\0");
    tree.put(9, "s@h", &["a@h"], &[]);
    tree.write("queue/local/1/9", b"Ta@h");
    tree.put(11, "s@h", &["a@h"], &[]);
    tree.write("queue/info/1/11", b"");
    let mut running = Running::start(&tree);
    let mut lines: Vec<_> = (0..3).map(|_| running.log.next()).collect();
    lines.sort();
    let expected = [
        "warning: trouble opening info/1/11; will try again later",
        "warning: trouble reading local/1/9; will try again later",
        "warning: unknown record type in local/1/7!",
    ];
    assert_eq!(lines, expected);
    running.stop();
    assert!(tree.exists("queue/local/1/7") && tree.exists("queue/info/1/11"));
}

#[test]
fn what_is_being_preprocessed_waits_for_qmail_todo() {
    let tree = Tree::new();
    tree.put(7, "s@h", &["a@h"], &[]);
    tree.write("queue/todo/7", b"");
    tree.put(8, "s@h", &[], &[]);
    let mut running = Running::start(&tree);
    // Only now it may work on what is there.
    assert_eq!(running.order(), b'S');
    running.log.wait_for("end msg 8");
    running.clean("foop/8");
    fs::remove_file(tree.path("queue/todo/7")).unwrap();
    running.news(b"Lnew msg 7\n\0DL7\0?\0DQ\0");
    running.local.next();
    let lines =
        until(&mut running, "warning: qmail-send unable to understand qmail-todo: report mangled");
    assert_eq!(lines[0], "new msg 7");
    assert!(lines.contains(&"warning: qmail-send unable to understand qmail-todo".to_owned()));
    running.local.report(0, Verdict::Success, "");
    running.clean("foop/7");
    running.stop();
}

#[test]
fn controls_are_read_again_for_both() {
    let tree = Tree::new();
    let mut running = Running::start(&tree);
    assert_eq!(running.order(), b'S');
    fs::create_dir(tree.path("control/virtualdomains")).unwrap();
    running.signal("-HUP");
    assert_eq!(running.order(), b'H');
    running.log.wait_for("alert: unable to reread control/virtualdomains");
    running.stop();
}

#[test]
fn the_end_of_any_other_process_is_ours_too_and_exits_0() {
    type Loss = fn(&mut Running);
    let losses: [(Loss, &str); 4] = [
        (|running| running.local.die(), "alert: oh no! lost spawn connection! dying..."),
        (|running| running.remote.die(), "alert: oh no! lost spawn connection! dying..."),
        (|running| running.replies = None, "alert: oh no! lost qmail-clean connection! dying..."),
        (|running| running.news = None, "alert: oh no! lost qmail-todo connection! dying..."),
    ];
    for (lose, alert) in losses {
        let tree = Tree::new();
        let mut running = Running::start(&tree);
        assert_eq!(running.order(), b'S');
        lose(&mut running);
        running.log.wait_for(alert);
        if running.news.is_some() {
            assert_eq!(running.order(), b'X');
            running.news(b"X\0");
        }
        let (exit, lines) = running.end();
        assert_eq!((exit, lines.as_slice()), (Exit::Code(0), &["status: exiting".to_owned()][..]));
    }
}

#[test]
fn what_a_lost_qmail_clean_has_not_removed_is_litter() {
    let tree = Tree::new();
    tree.put(8, "s@h", &[], &[]);
    tree.put(10, "s@h", &[], &[]);
    let mut running = Running::start(&tree);
    let mut requests = [running.request(), running.request()];
    requests.sort();
    assert_eq!(requests, ["foop/10", "foop/8"]);
    assert!(is_empty(&tree.path("queue/info/0")));
    // It has removed one of them when it dies.
    fs::remove_file(tree.path("queue/mess/0/8")).unwrap();
    make_old(&tree, "queue/mess/0/10");
    running.replies = None;
    running.log.wait_for("alert: oh no! lost qmail-clean connection! dying...");
    running.news(b"X\0");
    assert_eq!(running.end().0, Exit::Code(0));
    // They have ended: nothing is said of them any more.
    assert!(is_empty(&tree.path("queue/info/0")));
    let mut running = Running::start(&tree);
    running.clean("foop/10");
    let lines = running.stop();
    assert!(lines.iter().all(|line| !line.starts_with("end msg")), "{lines:#?}");
}

#[test]
fn qmail_clean_may_fail() {
    let tree = Tree::new();
    tree.put(8, "s@h", &[], &[]);
    let mut running = Running::start(&tree);
    running.reply("foop/8", b"!");
    running.log.wait_for("warning: qmail-clean unable to clean up foop/8");
    running.stop();
}

#[test]
fn a_spawner_with_more_than_255_deliveries_numbers_them_by_two_bytes() {
    let tree = Tree::new();
    tree.write("control/concurrencylocal", b"1000\n");
    let recipients: Vec<String> = (0..300).map(|number| format!("{number}@here.example")).collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    tree.put(7, "s@h", &recipients, &["jane@there.example"]);
    let mut running = Running::start_with(&tree, &[253, 1], &[10]);
    running.log.wait_for("status: local 0/509 remote 0/10");
    for (number, recipient) in (0..).zip(recipients) {
        assert_eq!(running.local.next(), command(number, "1/7", "s@h", recipient));
    }
    // The other one still numbers by one.
    assert_eq!(running.remote.next(), command(0, "1/7", "s@h", "jane@there.example"));
    running.log.wait_for("status: local 300/509 remote 1/10");
    running.local.report(256, Verdict::Success, "ok\n");
    running.log.wait_for("status: local 299/509 remote 1/10");
    running.remote.report(0, Verdict::Success, "ok\n");
    running.log.wait_for("status: local 299/509 remote 0/10");
    // Two bytes for what would fit into one.
    let tree = Tree::new();
    tree.put(7, "s@h", &["a@h"], &[]);
    let mut running = Running::start_with(&tree, &[3, 0], &[10]);
    running.log.wait_for("status: local 0/3 remote 0/10");
    running.local.next();
    running.local.report(0, Verdict::Success, "ok\n");
    running.log.wait_for("delivery 1: success: ok/");
}

#[test]
fn concurrency_is_read_again_on_hup() {
    let tree = Tree::new();
    tree.write("control/concurrencylocal", b"2\n");
    tree.put(7, "s@h", &["a@h", "b@h", "c@h", "d@h", "e@h"], &[]);
    let mut running = Running::start_with(&tree, &[4], &[10]);
    running.log.wait_for("status: local 2/2 remote 0/10");
    let reread = |running: &mut Running, local: &[u8], status: &str| {
        tree.write("control/concurrencylocal", local);
        running.signal("-HUP");
        running.log.wait_for(status);
    };
    // No more than the spawner can do.
    reread(&mut running, b"100\n", "status: local 2/4 remote 0/10");
    running.log.wait_for("status: local 4/4 remote 0/10");
    // What runs goes on, and nothing takes its place.
    reread(&mut running, b"1\n", "status: local 4/1 remote 0/10");
    for number in [1, 0, 2] {
        running.local.report(number, Verdict::Success, "ok\n");
    }
    running.log.wait_for("status: local 1/1 remote 0/10");
    running.local.report(3, Verdict::Success, "ok\n");
    running.log.wait_for("starting delivery 5: msg 7 to local e@h");
    // What cannot be read leaves the other one as it was, too.
    tree.write("control/concurrencyremote", b"7\n");
    fs::remove_file(tree.path("control/concurrencylocal")).unwrap();
    fs::create_dir(tree.path("control/concurrencylocal")).unwrap();
    running.signal("-HUP");
    running.log.wait_for("alert: unable to reread control/concurrencylocal");
    running.local.report(0, Verdict::Success, "ok\n");
    running.log.wait_for("status: local 0/1 remote 0/10");
}

/// A tree with so many messages for one recipient each, who may all be delivered to at once.
fn crowded(messages: u64) -> Tree {
    let tree = Tree::new();
    tree.write("control/concurrencylocal", b"120\n");
    (1..=messages).for_each(|id| tree.put(id, "s@h", &["a@h"], &[]));
    tree
}

#[test]
fn there_are_as_many_descriptors_as_deliveries() {
    let tree = crowded(100);
    let mut running = Running::start_after("ulimit -Sn 40", &tree, &[120], &[10]);
    (0..100).for_each(|_| drop(running.local.next()));
    running.log.wait_for("status: local 100/120 remote 0/10");
}

#[test]
fn no_more_is_begun_than_there_are_descriptors_for() {
    let tree = crowded(100);
    let mut running = Running::start_after("ulimit -n 80", &tree, &[120], &[10]);
    let mut slots: Vec<DeliveryNumber> = Vec::new();
    for _ in 0..100 {
        if slots.len() == 10 {
            running.local.report(slots.remove(0), Verdict::Temporary, "not now\n");
        }
        slots.push(running.local.next().delivery);
    }
    running.log.wait_for("delivery 90: deferral: not_now/");
    let is_warning = |line: &&String| line.starts_with("warning: ");
    assert_eq!(running.log.lines.iter().find(is_warning), None);
}

#[test]
fn a_bounce_has_as_much_of_the_message_as_it_may() {
    let body = "Received: x\nSubject: y\n\nbody\n";
    let cut = "\n\n--- End of message stripped.\n";
    for (most, copy) in [
        ("1000", body.to_owned()),
        (&body.len().to_string(), body.to_owned()),
        ("11", format!("Received: x{cut}")),
        ("0", String::new()),
    ] {
        let tree = Tree::new();
        tree.write("control/bouncemaxbytes", format!("{most}\n").as_bytes());
        tree.put(8, "me@far.example", &["a@here.example"], &[]);
        let mut running = Running::start(&tree);
        running.local.next();
        running.local.report(0, Verdict::Permanent, "no\n");
        let lines = until(&mut running, "end msg 8");
        let (message, _) = tree.queued(&process(&lines));
        let (_, after) = message.split_once("Return-Path: <me@far.example>\n").unwrap();
        assert_eq!(after, copy, "{most}");
        running.clean("foop/8");
        running.stop();
    }
}

#[test]
fn double_bounces_can_be_thrown_away() {
    let tree = Tree::new();
    tree.write("control/doublebounceto", b"\n");
    tree.put(8, "", &["a@here.example"], &[]);
    let mut running = Running::start(&tree);
    running.local.next();
    running.local.report(0, Verdict::Permanent, "no\n");
    running.log.wait_for("double bounce: discarding bounce/8");
    running.log.wait_for("end msg 8");
    running.clean("foop/8");
    assert!(is_empty(&tree.path("queue/bounce")));
    running.stop();
}

#[test]
fn bounces_may_be_given_up_earlier_than_other_messages() {
    let tree = Tree::new();
    tree.write("control/bouncelifetime", b"1000\n");
    for (id, sender) in [(8, ""), (10, "me@far.example")] {
        tree.put(id, sender, &["a@here.example"], &[]);
        tree.set_modified(&format!("queue/info/0/{id}"), now() - 2000);
    }
    let mut running = Running::start(&tree);
    for slot in [0, 1] {
        running.local.next();
        running.local.report(slot, Verdict::Temporary, "not now\n");
    }
    running.clean("foop/8");
    running.log.wait_for("end msg 8");
    running.signal("-TERM");
    running.news(b"X\0");
    running.end();
    assert!(tree.exists("queue/info/0/10") && !tree.exists("queue/info/0/8"));
}

#[test]
fn litter_is_found_at_the_start() {
    let tree = Tree::new();
    tree.write("queue/mess/1/9", b"");
    make_old(&tree, "queue/mess/1/9");
    tree.write("queue/mess/1/11", b"");
    let mut running = Running::start(&tree);
    running.clean("foop/9");
    running.stop();
}

/// Lets a file look as if nobody had read it for more than 36 hours.
fn make_old(tree: &Tree, file: &str) {
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(now() - 130_000);
    let times = fs::FileTimes::new().set_accessed(old);
    let file = fs::File::options().write(true).open(tree.path(file)).unwrap();
    file.set_times(times).unwrap();
}

#[test]
fn whoever_cannot_start_says_why_and_exits_111() {
    let check = |tree: &Tree, local: &[u8], why: &str| {
        let (exit, lines) = Running::start_with(tree, local, &[10]).end();
        assert_eq!(lines, [format!("alert: cannot start: {why}")]);
        assert_eq!(exit, Exit::Code(111));
    };
    let tree = Tree::new();
    check(&tree, &[], "hath the daemon spawn no fire?");
    fs::create_dir_all(tree.path("queue/suppl0/0")).unwrap();
    tree.write("queue/suppl0/0/8", b"");
    check(&tree, &[10], "recipients in queue/suppl0 are for a qmail with more channels");
    fs::remove_file(tree.path("queue/suppl0/0/8")).unwrap();
    let running = Running::start(&tree);
    check(&tree, &[10], "qmail-send is already running");
    running.stop();
    fs::remove_file(tree.path("queue/lock/sendmutex")).unwrap();
    check(&tree, &[10], "unable to open mutex");
    fs::remove_dir_all(tree.path("queue")).unwrap();
    check(&tree, &[10], "unable to switch to queue directory");
    fs::remove_file(tree.path("control/me")).unwrap();
    check(&tree, &[10], "unable to read controls");
}
