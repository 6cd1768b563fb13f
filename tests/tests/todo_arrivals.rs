//! What comes into `todo/` while qmail works: none of it is missed, whenever it comes and whatever
//! happens to the directories. A message that is missed would wait for 25 minutes.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::thread::{scope, sleep};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use qmail_conformance::log::Running;
use qmail_conformance::{Need, Tree, files, wait};

/// A tree at work where nothing is delivered, with the layout that it has or with a flat `todo/`.
fn at_work(flat: bool) -> (Tree, Running) {
    let tree = Tree::under_test();
    tree.control("concurrencylocal", "0");
    tree.control("concurrencyremote", "0");
    for part in parts(&tree, "todo").into_iter().chain(parts(&tree, "intd")) {
        if flat && part.parent() != Some(&tree.path("queue")) {
            fs::remove_dir(part).unwrap();
        }
    }
    let running = tree.start();
    // It is at work when this has gone.
    one_more(&tree);
    all_have_gone(&tree);
    (tree, running)
}

/// The directories that hold the files of a part of the queue.
fn parts(tree: &Tree, part: &str) -> Vec<PathBuf> {
    let root = tree.path("queue").join(part);
    let directories: Vec<PathBuf> =
        files::names(&root).iter().map(|name| root.join(name)).collect();
    if directories.is_empty() { vec![root] } else { directories }
}

fn one_more(tree: &Tree) {
    tree.queue("x@y", &["a@test.example"], "hi\n");
}

fn all_have_gone(tree: &Tree) {
    wait::until("an empty todo", || tree.queue_files("todo").is_empty().then_some(()));
}

/// Whether the original's layout is compiled in, so that another is none of its business.
fn has_only(tree: &Tree, flat: bool) -> bool {
    tree.is_original() && flat != (parts(tree, "todo").len() == 1)
}

#[test]
fn messages_that_come_one_by_one_and_many_at_once_are_all_seen() {
    for flat in [false, true] {
        if has_only(&Tree::under_test(), flat) {
            continue;
        }
        let (tree, running) = at_work(flat);
        for _ in 0..20 {
            one_more(&tree);
            all_have_gone(&tree);
        }
        // At every moment of what qmail-todo does for others.
        scope(|scope| {
            for writer in 0..6 {
                let tree = &tree;
                scope.spawn(move || {
                    for number in 0..25 {
                        one_more(tree);
                        sleep(Duration::from_micros(number * 397 % 4000 * (writer + 1) / 2));
                    }
                });
            }
        });
        all_have_gone(&tree);
        assert_eq!(tree.queue_files("info").len(), 1 + 20 + 150);
        drop(running);
    }
}

/// Puts a directory in the place of another, and takes that away, or puts it elsewhere.
fn replace(directory: &Path, elsewhere: Option<&Path>) {
    let (owner, group) = files::owner(directory);
    let mode = files::mode(directory);
    match elsewhere {
        Some(elsewhere) => fs::rename(directory, elsewhere).unwrap(),
        None => fs::remove_dir(directory).unwrap(),
    }
    fs::create_dir(directory).unwrap();
    files::set_mode(directory, mode);
    chown(directory, Some(owner), Some(group)).unwrap();
}

#[test]
fn messages_in_directories_that_were_replaced_are_seen() {
    for (flat, keep) in [(false, false), (false, true), (true, true), (true, false)] {
        if has_only(&Tree::under_test(), flat) {
            continue;
        }
        let (tree, running) = at_work(flat);
        for (number, part) in parts(&tree, "todo").iter().enumerate() {
            let elsewhere = tree.scratch().join(format!("moved-{number}"));
            replace(part, keep.then_some(&elsewhere));
        }
        for _ in 0..3 {
            one_more(&tree);
            all_have_gone(&tree);
        }
        assert_eq!(tree.queue_files("info").len(), 4);
        drop(running);
    }
}

#[test]
fn messages_for_which_the_kernel_has_no_room_left_are_seen() {
    let (tree, running) = at_work(false);
    if tree.lacks(Need::Program("qmail-todo")) {
        return;
    }
    let room = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let room: usize = room.trim().parse().unwrap();
    let todo = tree.processes_named("qmail-todo");
    let signal = |signal| todo.iter().for_each(|process| kill(*process, signal).unwrap());
    signal(Signal::SIGSTOP);
    let names = ["one", "other"].map(|name| parts(&tree, "todo")[0].join(name));
    for name in names.iter().cycle().take(room + 1) {
        File::create(name).unwrap();
        fs::remove_file(name).unwrap();
    }
    one_more(&tree);
    one_more(&tree);
    signal(Signal::SIGCONT);
    all_have_gone(&tree);
    one_more(&tree);
    all_have_gone(&tree);
    drop(running);
}

fn pull_by_hand(tree: &Tree) {
    let mut trigger = File::options().write(true).open(tree.path("queue/lock/trigger")).unwrap();
    trigger.write_all(b"x").unwrap();
}

#[test]
fn a_message_that_could_not_be_preprocessed_is_tried_again_when_the_trigger_is_pulled() {
    let (tree, mut running) = at_work(false);
    running.signal(Signal::SIGTERM);
    running.wait();
    one_more(&tree);
    let number = tree.only_todo().number;
    let (mess, elsewhere) = (tree.message_file("mess", number), tree.path("queue/mess/elsewhere"));
    fs::rename(&mess, &elsewhere).unwrap();
    let running = tree.start();
    running.wait_for("unable to stat");
    one_more(&tree);
    wait::until("the other message", || (tree.queue_files("todo").len() == 1).then_some(()));
    fs::rename(&elsewhere, &mess).unwrap();
    pull_by_hand(&tree);
    all_have_gone(&tree);
    assert_eq!(tree.queue_files("info").len(), 3);
}
