//! Preprocessing, and what is found in the queue after a crash.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::time::{Duration, SystemTime};

use qmail_conformance::{Tree, files, wait};

/// A tree where nothing is delivered.
fn holding() -> Tree {
    let tree = Tree::under_test();
    tree.control("concurrencylocal", "0");
    tree.control("concurrencyremote", "0");
    tree
}

/// Starts qmail until nothing waits for preprocessing, and stops it; the log.
fn preprocess(tree: &Tree) -> Vec<String> {
    let running = tree.start();
    wait::until("preprocessing", || tree.todo().is_empty().then_some(()));
    running.stop()
}

/// Writes a file of the queue as qmail-send would.
fn write_as_send(tree: &Tree, path: &Path, content: &[u8]) {
    files::write(path, content);
    files::set_mode(path, 0o600);
    let send = tree.accounts().qmails;
    chown(path, Some(send.uid), Some(tree.accounts().qmailq.gid)).unwrap();
}

#[test]
fn a_message_is_preprocessed_into_its_channels() {
    let tree = holding();
    let recipients = ["a@far.example", "b@test.example", "c@far.example", "d@test.example"];
    tree.queue("x@y", &recipients, "hi\n");
    let number = tree.only_todo().number;
    let lines = preprocess(&tree);
    assert!(lines.contains(&format!("new msg {number}")), "{lines:#?}");
    let read = |part: &str| files::read(&tree.message_file(part, number));
    assert_eq!(read("info"), b"Fx@y\0");
    assert_eq!(read("local"), b"Tb@test.example\0Td@test.example\0");
    assert_eq!(read("remote"), b"Ta@far.example\0Tc@far.example\0");
    assert!(tree.queue_files("todo").is_empty() && tree.queue_files("intd").is_empty());
    for part in ["info", "local", "remote"] {
        let file = tree.message_file(part, number);
        assert_eq!(files::mode(&file), 0o600, "{part}");
        assert_eq!(files::owner(&file).0, tree.accounts().qmails.uid, "{part}");
    }
}

#[test]
fn only_channels_with_recipients_have_a_file() {
    let tree = holding();
    tree.queue("x@y", &["a@far.example"], "hi\n");
    preprocess(&tree);
    assert_eq!(tree.queue_files("local").len(), 0);
    assert_eq!(tree.queue_files("remote").len(), 1);
}

#[test]
fn what_a_crash_left_half_done_is_done_again() {
    let tree = holding();
    tree.queue("x@y", &["a@test.example"], "hi\n");
    let number = tree.only_todo().number;
    for part in ["info", "local", "remote"] {
        write_as_send(&tree, &tree.message_file(part, number), b"Told@test.example\0rubbish");
    }
    preprocess(&tree);
    let read = |part: &str| fs::read(tree.message_file(part, number)).ok();
    assert_eq!(read("info").as_deref(), Some(&b"Fx@y\0"[..]));
    assert_eq!(read("local").as_deref(), Some(&b"Ta@test.example\0"[..]));
    assert_eq!(read("remote"), None);
}

#[test]
fn a_message_without_its_intd_file_is_preprocessed() {
    let tree = holding();
    tree.queue("x@y", &["a@test.example"], "hi\n");
    for file in tree.queue_files("intd") {
        fs::remove_file(tree.path("queue/intd").join(file)).unwrap();
    }
    preprocess(&tree);
    assert_eq!(tree.queue_files("local").len(), 1);
}

#[test]
fn a_preprocessed_message_is_scheduled_at_the_start() {
    let tree = holding();
    tree.user("joe").instruct("", "|exit 0\n");
    tree.queue("x@y", &["joe@test.example"], "hi\n");
    preprocess(&tree);
    tree.remove_control("concurrencylocal");
    let running = tree.start();
    running.wait_for("success");
    running.wait_for("end msg");
    wait::until("an empty queue", || tree.queue_is_empty().then_some(()));
    assert!(!running.lines().iter().any(|line| line.starts_with("new msg")));
}

#[test]
fn a_message_whose_recipients_are_all_done_ends_at_the_start() {
    let tree = holding();
    tree.queue("x@y", &["a@test.example"], "hi\n");
    let number = tree.only_todo().number;
    preprocess(&tree);
    fs::remove_file(tree.message_file("local", number)).unwrap();
    let running = tree.start();
    running.wait_for(&format!("end msg {number}"));
    wait::until("an empty queue", || tree.queue_is_empty().then_some(()));
}

#[test]
fn recipients_that_are_done_are_not_tried_again() {
    let tree = holding();
    tree.user("joe").instruct("", "|exit 0\n");
    tree.queue("x@y", &["joe@test.example"], "hi\n");
    let number = tree.only_todo().number;
    preprocess(&tree);
    let records = b"Djane@test.example\0Tjoe@test.example\0Djoe@test.example\0";
    write_as_send(&tree, &tree.message_file("local", number), records);
    tree.remove_control("concurrencylocal");
    let running = tree.start();
    running.wait_for("end msg");
    let starts = running.lines().into_iter().filter(|line| line.starts_with("starting"));
    assert_eq!(starts.count(), 1);
}

#[test]
fn a_bounce_that_a_crash_left_is_sent() {
    let tree = holding();
    let jane = tree.user("jane").uses_maildir();
    tree.queue("jane@test.example", &["a@test.example"], "hi\n");
    let number = tree.only_todo().number;
    preprocess(&tree);
    fs::remove_file(tree.message_file("local", number)).unwrap();
    let bounce = tree.path("queue/bounce").join(number.to_string());
    write_as_send(&tree, &bounce, b"<a@test.example>:\nno\n\n");
    tree.remove_control("concurrencylocal");
    let running = tree.start();
    running.wait_for("bounce msg ");
    let message = String::from_utf8(jane.wait_for(1).remove(0)).unwrap();
    assert!(message.contains("\n<a@test.example>:\nno\n\n--- Below this line"), "{message}");
}

#[test]
fn a_broken_envelope_is_left_alone_and_said() {
    let tree = holding();
    tree.queue("x@y", &["a@test.example"], "hi\n");
    let file = tree.path("queue/todo").join(&tree.queue_files("todo")[0]);
    files::write(&file, b"u1\0p1\0Fx@y\0Xwhat\0");
    let running = tree.start();
    let line = running.wait_for("unknown record type in todo/");
    assert!(line.starts_with("warning: "), "{line}");
    running.stop();
    assert!(file.exists());
    assert_eq!(tree.queued(), 1);
}

#[test]
fn other_names_in_the_queue_are_passed_over() {
    let tree = Tree::under_test();
    tree.user("joe").instruct("", "|exit 0\n");
    for name in ["todo/x", "todo/1x", "info/0/x", "todo/.1"] {
        write_as_send(&tree, &tree.path("queue").join(name), b"Fx@y\0");
    }
    tree.queue("x@y", &["joe@test.example"], "hi\n");
    let running = tree.start();
    running.wait_for("end msg");
    let lines = running.stop();
    assert!(!lines.iter().any(|line| line.contains("warning")), "{lines:#?}");
}

/// Runs qmail until a file is gone.
fn runs_until_gone(tree: &Tree, file: &Path) {
    let running = tree.start();
    wait::until("the clean-up", || (!file.exists()).then_some(()));
    running.stop();
}

#[test]
fn litter_of_36_hours_is_removed_and_younger_is_not() {
    let tree = holding();
    let mut files = Vec::new();
    for age in [130_000, 129_000] {
        tree.queue("x@y", &[], "hi\n");
        let queued = tree.only_todo();
        let name = tree.queue_files("todo").remove(0);
        fs::remove_file(tree.path("queue/todo").join(&name)).unwrap();
        let file = tree.message_file("mess", queued.number);
        files::set_times(&file, SystemTime::now() - Duration::from_secs(age));
        files.push((file, tree.path("queue/intd").join(name)));
    }
    runs_until_gone(&tree, &files[0].0);
    assert!(!files[0].1.exists());
    assert!(files[1].0.exists() && files[1].1.exists());
}

#[test]
fn queued_mail_is_no_litter_however_old() {
    let tree = holding();
    tree.queue("x@y", &["a@test.example"], "hi\n");
    let old = tree.message_file("mess", tree.only_todo().number);
    preprocess(&tree);
    tree.queue("x@y", &[], "hi\n");
    let todo = tree.queue_files("todo").remove(0);
    let litter = tree.message_file("mess", tree.only_todo().number);
    fs::remove_file(tree.path("queue/todo").join(todo)).unwrap();
    for file in [&old, &litter] {
        files::set_times(file, SystemTime::now() - Duration::from_secs(1_000_000));
    }
    runs_until_gone(&tree, &litter);
    assert!(old.exists());
}

/// Replaces the sub-directories of a part of the queue.
fn split(tree: &Tree, part: &str, count: u64) {
    let root = tree.path("queue").join(part);
    let (owner, group) = files::owner(&root);
    for name in files::names(&root) {
        fs::remove_dir(root.join(name)).unwrap();
    }
    for number in 0..count {
        let directory = root.join(number.to_string());
        fs::create_dir(&directory).unwrap();
        chown(&directory, Some(owner), Some(group)).unwrap();
        files::set_mode(&directory, files::mode(&root));
    }
}

#[test]
fn a_queue_of_another_shape_just_works() {
    // The C programs have the shape compiled in.
    if Tree::under_test().is_original() {
        return;
    }
    for (buckets, hashed) in [(7, false), (23, true), (101, true)] {
        let tree = Tree::under_test();
        let maildir = tree.user("joe").uses_maildir();
        for part in ["mess", "info", "local", "remote"] {
            split(&tree, part, buckets);
        }
        for part in ["todo", "intd"] {
            split(&tree, part, if hashed { buckets } else { 0 });
        }
        tree.queue("x@y", &["joe@test.example"], "hi\n");
        let number = tree.only_todo().number;
        let bucket = (number % buckets).to_string();
        let todo = tree.path("queue/todo");
        let place = if hashed { todo.join(bucket) } else { todo };
        assert!(place.join(number.to_string()).exists());
        let running = tree.start();
        running.wait_for("end msg");
        assert_eq!(maildir.messages().len(), 1);
        wait::until("an empty queue", || tree.queue_is_empty().then_some(()));
    }
}
