//! Work on the queue beside the daemons: qmail-qrepair and qmail-qhandle.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use qmail_conformance::log::Running;
use qmail_conformance::{Need, Tree, files, process::Finished, wait};

/// Runs one of the two, which also work on the queue of an original: there they come from where ours
/// are built.
fn run(tree: &Tree, program: &str, arguments: &[&str]) -> Finished {
    let command = match built(program).filter(|_| tree.is_original()) {
        Some(path) => tree.command(path).env("QMAILHOME", tree.home()),
        None => tree.program(program),
    };
    command.args(arguments).run()
}

fn built(program: &str) -> Option<PathBuf> {
    let build = std::env::var_os("QMAIL_BUILD").map(PathBuf::from);
    let debug = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug");
    Some(build.unwrap_or_else(debug).join(program)).filter(|path| path.is_file())
}

fn output(tree: &Tree, program: &str, arguments: &[&str]) -> String {
    let finished = run(tree, program, arguments);
    assert_eq!(finished.code, Some(0), "{program} {arguments:?}: {}", finished.said());
    finished.text()
}

/// Stops, and waits for the last who worked in the queue: tools refuse one that somebody works in.
fn stop(tree: &Tree, running: Running) -> Vec<String> {
    let log = running.stop();
    let todo = || tree.processes_named("qmail-todo");
    wait::until("the end of qmail-todo", || todo().is_empty().then_some(()));
    log
}

fn lacks_tools(tree: &Tree) -> bool {
    let missing = |program| match tree.is_original() {
        true => built(program).is_none(),
        false => tree.lacks(Need::Program(program)),
    };
    ["qmail-qrepair", "qmail-qhandle"].into_iter().any(missing)
}

/// Numbers of all messages whose sender is `sender`.
fn number(tree: &Tree, sender: &str) -> u64 {
    let found = tree.todo().into_iter().find(|queued| queued.sender() == sender);
    found.unwrap_or_else(|| panic!("nothing of {sender}")).number
}

#[test]
fn a_fresh_queue_needs_no_repair() {
    let tree = Tree::under_test();
    if lacks_tools(&tree) {
        return;
    }
    let text = output(&tree, "qmail-qrepair", &[]);
    assert!(text.contains("  conf-split appears to be 23\n"), "{text}");
    assert!(text.ends_with("0 found, 0 left\n"), "{text}");
}

#[test]
fn a_restored_queue_is_delivered_after_a_repair() {
    let tree = Tree::under_test();
    if lacks_tools(&tree) {
        return;
    }
    tree.user("joe").instruct("", "./Mailbox\n");
    tree.control("concurrencylocal", "0");
    for text in ["one\n", "two\n", "three\n"] {
        tree.queue("sender@here", &["joe@test.example"], text);
    }
    // Some have been preprocessed, the last has not.
    let running = tree.start();
    let _ = running.wait_for_several("info msg", 3);
    wait::until("todo", || tree.todo().is_empty().then_some(()));
    stop(&tree, running);
    tree.queue("sender@here", &["joe@test.example"], "four\n");
    restore_from_copy(&tree);
    let before = run(&tree, "qmail-qrepair", &[]);
    assert_eq!(before.code, Some(1), "{}", before.said());
    assert!(before.text().contains(" is inode "), "{}", before.text());
    output(&tree, "qmail-qrepair", &["-r"]);
    output(&tree, "qmail-qrepair", &["-t"]);
    tree.remove_control("concurrencylocal");
    let running = tree.start();
    let _ = running.wait_for_several("end msg", 4);
    wait::until("an empty queue", || tree.queue_is_empty().then_some(()));
    stop(&tree, running);
    let mailbox = String::from_utf8(files::read(&tree.user("joe").home().join("Mailbox"))).unwrap();
    for text in ["one\n", "two\n", "three\n", "four\n"] {
        assert_eq!(mailbox.matches(&format!("\n{text}")).count(), 1, "{text}: {mailbox}");
    }
}

/// Every file of the queue becomes another, with the same contents, owner, mode and times.
fn restore_from_copy(tree: &Tree) {
    for part in ["mess", "info", "local", "todo", "intd"] {
        for file in tree.queue_files(part) {
            let path = tree.path("queue").join(part).join(file);
            let copy = tree.path("queue/pid/copy");
            let script = "cp -p \"$1\" \"$2\" && mv \"$2\" \"$1\"";
            let inode = fs::metadata(&path).unwrap().ino();
            let arguments = ["-c", script, "sh", path.to_str().unwrap(), copy.to_str().unwrap()];
            let status = std::process::Command::new("sh").args(arguments).status().unwrap();
            assert!(status.success() && fs::metadata(&path).unwrap().ino() != inode);
        }
    }
}

#[test]
fn a_converted_queue_goes_on_working() {
    let tree = Tree::under_test();
    // The layout is built into the programs of an original.
    if lacks_tools(&tree) || tree.is_original() {
        return;
    }
    tree.user("joe").instruct("", "|exit 0\n");
    tree.queue("a@here", &["joe@test.example"], "one\n");
    let text = output(&tree, "qmail-qrepair", &["-r", "-s", "7", "-b"]);
    assert!(text.contains("  fixed, moved "), "{text}");
    assert_eq!(tree.todo().len(), 1);
    tree.queue("a@here", &["joe@test.example"], "two\n");
    let running = tree.start();
    let _ = running.wait_for_several("end msg", 2);
    wait::until("an empty queue", || tree.queue_is_empty().then_some(()));
    stop(&tree, running);
    output(&tree, "qmail-qrepair", &["--repair", "--split", "23", "--no-bigtodo"]);
    let text = output(&tree, "qmail-qrepair", &[]);
    assert!(text.contains("conf-split appears to be 23\n"), "{text}");
    assert!(text.contains("big-todo not found\n"), "{text}");
}

#[test]
fn a_queue_is_made_anew_where_there_was_none() {
    let tree = Tree::under_test();
    if lacks_tools(&tree) || tree.lacks(Need::Root) {
        return;
    }
    let queue = tree.path("queue");
    for name in files::names(&queue) {
        let path = queue.join(name);
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.unwrap();
    }
    output(&tree, "qmail-qrepair", &["-c", "-n", "-s", "23"]);
    tree.user("joe").instruct("", "|exit 0\n");
    tree.queue("a@here", &["joe@test.example"], "hi\n");
    let running = tree.start();
    running.wait_for("end msg");
    stop(&tree, running);
}

#[test]
fn nothing_is_repaired_under_a_running_qmail() {
    let tree = Tree::under_test();
    if lacks_tools(&tree) {
        return;
    }
    let running = tree.start();
    running.wait_for("status:");
    let finished = run(&tree, "qmail-qrepair", &["-r"]);
    assert_eq!(finished.code, Some(111), "{}", finished.said());
    assert_eq!(finished.errors(), "qmail-qrepair: fatal: qmail-send is running\n");
    stop(&tree, running);
}

#[test]
fn a_running_qmail_removes_what_is_deleted_and_delivers_the_rest() {
    let tree = Tree::under_test();
    if lacks_tools(&tree) {
        return;
    }
    // Deferred until the file is there.
    tree.user("joe").instruct("", "|test -e go || exit 111\n");
    for sender in ["spam@here", "friend@here"] {
        tree.queue(sender, &["joe@test.example"], "Subject: hi\n\n");
    }
    let (spam, friend) = (number(&tree, "spam@here"), number(&tree, "friend@here"));
    let running = tree.start();
    let _ = running.wait_for_several("deferral", 2);
    let text = output(&tree, "qmail-qhandle", &["-l"]);
    assert!(text.contains("  Return-path: spam@here\n  Subject: hi\n"), "{text}");
    let text = output(&tree, "qmail-qhandle", &["-F", "^spam@", "-a"]);
    assert!(text.starts_with("Deleted 1 messages from queue\n"), "{text}");
    running.wait_for(&format!("end msg {spam}"));
    let _ = running.wait_for_several("deferral", 3);
    files::write(&tree.user("joe").home().join("go"), "");
    output(&tree, "qmail-qhandle", &["-a"]);
    running.wait_for(&format!("end msg {friend}"));
    let log = stop(&tree, running);
    assert_eq!(log.iter().filter(|line| line.contains("success")).count(), 1, "{log:#?}");
    assert!(!log.iter().any(|line| line.contains("bounce msg")), "{log:#?}");
}

#[test]
fn a_running_qmail_bounces_what_has_expired() {
    let tree = Tree::under_test();
    if lacks_tools(&tree) {
        return;
    }
    tree.user("joe").instruct("", "|exit 111\n");
    tree.user("jane").instruct("", "./Mailbox\n");
    tree.queue("jane@test.example", &["joe@test.example"], "hi\n");
    let number = number(&tree, "jane@test.example").to_string();
    let running = tree.start();
    running.wait_for("deferral");
    let text = output(&tree, "qmail-qhandle", &["-e", "-d", &number, "-a"]);
    assert!(text.starts_with("Expired 1 messages in queue\n"), "{text}");
    running.wait_for(&format!("bounce msg {number}"));
    let _ = running.wait_for_several("end msg", 2);
    stop(&tree, running);
    let mailbox =
        String::from_utf8(files::read(&tree.user("jane").home().join("Mailbox"))).unwrap();
    assert!(mailbox.contains("this message has been in the queue too long."), "{mailbox}");
}

#[test]
fn messages_change_while_they_are_deleted_and_none_is_lost_or_sent_twice() {
    let tree = Tree::under_test();
    if lacks_tools(&tree) {
        return;
    }
    tree.user("joe").instruct("", "|exit 0\n");
    tree.user("jane").instruct("", "|exit 111\n");
    let running = tree.start();
    for _ in 0..10 {
        tree.queue("good@here", &["joe@test.example"], "keep\n");
        tree.queue("spam@here", &["jane@test.example"], "drop\n");
        // Those of this turn may not be preprocessed yet: then there is a warning.
        let finished = run(&tree, "qmail-qhandle", &["-fspam@here", "-a"]);
        assert!(matches!(finished.code, Some(0 | 1)), "{}", finished.said());
    }
    wait::until("an empty queue", || {
        let finished = run(&tree, "qmail-qhandle", &["-fspam@here", "-a"]);
        assert!(matches!(finished.code, Some(0 | 1)), "{}", finished.said());
        tree.queue_is_empty().then_some(())
    });
    running.signal(Signal::SIGALRM);
    let log = stop(&tree, running);
    let delivered = log.iter().filter(|line| line.contains("success")).count();
    assert_eq!(delivered, 10, "{log:#?}");
    assert!(!log.iter().any(|line| line.contains("warning") || line.contains("alert")), "{log:#?}");
}
