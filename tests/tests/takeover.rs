//! Our programs over a tree of netqmail's, and back.
//!
//! `QMAIL_ORIGINAL` names a tree with the programs of the original; the tests that need one are
//! skipped without it, for it is not ours to ship.

#[path = "takeover/site.rs"]
mod site;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use qmail_conformance::old_tree::{Layout, PROGRAMS, original};
use qmail_conformance::snapshot::{Entry, snapshot};
use qmail_conformance::sources::workspace;
use qmail_conformance::{Need, Tree, document, files, host, wait};

use site::{Site, mail_in_every_state, preprocessed};

/// Takes a tree over; what `install` said.
fn take_over(tree: &Tree) -> String {
    let installed = tree.install(&[]);
    assert_eq!(installed.code, Some(0), "{}", installed.said());
    installed.said()
}

/// Everything that belongs to the site.
fn belongings(tree: &Tree) -> BTreeMap<PathBuf, Entry> {
    let mut all = BTreeMap::new();
    for part in ["alias", "control", "queue", "users"] {
        for (path, entry) in snapshot(&tree.path(part)) {
            all.insert(PathBuf::from(part).join(path), entry);
        }
    }
    all
}

/// What a site has in its tree: files of qmail's, of patches, of other packages, and its own.
fn furnish(tree: &Tree) {
    tree.control("badmailfrom", "@spam.example\n");
    tree.control("plugins", "of a patch that nobody knows\n");
    tree.control("me.bak", "old.example\n");
    files::write(&tree.path("users/assign"), "+list-:joe:7801:7801:/nowhere:-:list-:\n.\n");
    files::write(&tree.path("users/cdb"), [0; 2048]);
    files::write(&tree.path("users/exclude"), "backup\n");
    files::write(&tree.path("alias/.qmail-postmaster"), "&joe\n");
    files::write(&tree.path("alias/.qmail-list-default"), "|forward jane\n");
    symlink(".qmail-postmaster", tree.path("alias/.qmail-root")).unwrap();
    files::set_mode(&tree.path("alias/.qmail-list-default"), 0o600);
    files::write(&tree.path("boot/own"), "#!/bin/sh\n");
    files::write(&tree.path("rc"), "#!/bin/sh\nexec qmail-start ./Mailbox splogger qmail\n");
}

fn is_kept(layout: Layout) {
    let Some(tree) = Tree::old(layout) else { return };
    let _ = mail_in_every_state(&tree, layout);
    furnish(&tree);
    let before = belongings(&tree);
    let own = ["rc", "boot/own"].map(|name| (name, snapshot(&tree.path(name))));
    take_over(&tree);
    let mut after = belongings(&tree);
    // The only things that are new: the numbers of the accounts, and a place for keys.
    for new in ["users/ids", "control/domainkeys"] {
        assert!(after.remove(&PathBuf::from(new)).is_some(), "{new}");
    }
    let changed =
        before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path));
    assert_eq!(changed.collect::<Vec<_>>(), Vec::<&PathBuf>::new());
    for (name, entry) in own {
        assert_eq!(snapshot(&tree.path(name)), entry, "{name}");
    }
}

#[test]
fn a_takeover_keeps_control_users_alias_and_queue() {
    is_kept(Layout::NETQMAIL);
}

#[test]
fn a_takeover_keeps_a_queue_with_hashed_todo_and_another_split() {
    is_kept(Layout { split: 151, hashed: true });
}

#[test]
fn nothing_is_left_to_correct_after_a_takeover() {
    let Some(tree) = Tree::old(Layout::NETQMAIL) else { return };
    let _ = mail_in_every_state(&tree, Layout::NETQMAIL);
    furnish(&tree);
    take_over(&tree);
    let checked = tree.install(&["check"]);
    assert_eq!((checked.code, checked.said()), (Some(0), String::new()));
    take_over(&tree);
    let checked = tree.install(&["check"]);
    assert_eq!((checked.code, checked.said()), (Some(0), String::new()));
}

#[test]
fn wrong_owners_and_modes_are_set_right() {
    let Some(tree) = Tree::old(Layout::NETQMAIL) else { return };
    for directory in ["queue/mess/7", "queue/info", "queue/lock", "alias"] {
        files::set_mode(&tree.path(directory), 0o777);
    }
    files::set_mode(&tree.path("queue/lock/trigger"), 0o600);
    let checked = tree.install(&["check"]).errors();
    assert!(checked.contains("/queue/mess/7 has wrong permissions"), "{checked}");
    take_over(&tree);
    assert_eq!(tree.install(&["check"]).said(), "");
}

#[test]
fn programs_are_replaced_by_rename() {
    let Some(tree) = Tree::old(Layout::NETQMAIL) else { return };
    let file = |name: &str| tree.path("").join("bin").join(name);
    // Somebody who runs one of them at this moment.
    fs::copy("/bin/sleep", file("qmail-remote")).unwrap();
    let (mut running, _) = tree.program("qmail-remote").arg("3600").start();
    let before = PROGRAMS.map(|name| fs::metadata(file(name)).unwrap().ino());
    take_over(&tree);
    for (name, inode) in PROGRAMS.iter().zip(before) {
        let metadata = fs::metadata(file(name)).unwrap();
        assert_ne!(metadata.ino(), inode, "{name}");
    }
    assert!(running.try_wait().unwrap().is_none());
    running.kill().unwrap();
    running.wait().unwrap();
    assert_eq!(files::mode(&file("qmail-queue")), 0o4711);
    let left: Vec<_> = files::names(&tree.path("").join("bin"))
        .into_iter()
        .filter(|name| name.starts_with('.') || name.ends_with(".new"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn programs_that_we_do_not_have_stay() {
    let Some(tree) = Tree::old(Layout::NETQMAIL) else { return };
    let file = tree.path("").join("bin/vdelivermail");
    files::write_script(&file, "exit 0");
    let before = snapshot(&file);
    take_over(&tree);
    assert_eq!(snapshot(&file), before);
}

/// Takes a queue over, and has our programs finish it.
fn old_queue_is_finished(layout: Layout) {
    let Some(tree) = Tree::old(layout) else { return };
    let site = Site::new(&tree);
    let expected = mail_in_every_state(&tree, layout);
    take_over(&tree);
    let log = site.finishes(tree.start(), 0, &expected);
    let ends = log.iter().filter(|line| line.starts_with("end msg ")).count();
    // Each of them, and a bounce for two.
    assert_eq!(ends, expected.len() + 2, "{log:#?}");
}

/// As the README says, in the directory of the sources, where everything is built.
fn take_over_by_the_readme(tree: &Tree) {
    let (blocks, _) = document::split(&document::read("README.md"));
    let commands = blocks.iter().find(|block| block.heading == "Over netqmail or notqmail");
    let sources = tree.scratch().join("sources");
    fs::create_dir_all(sources.join("target")).unwrap();
    let makefile = workspace().canonicalize().unwrap().join("Makefile");
    symlink(makefile, sources.join("Makefile")).unwrap();
    symlink(host::install().parent().unwrap(), sources.join("target/programs")).unwrap();
    let make = tree.script("make", "exec /usr/bin/make -s -o all \"$@\"\n");
    let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", make.trim_end_matches("/make"));
    for line in commands.unwrap().text.lines() {
        let shell = tree.command("/bin/sh").args(["-ec", line]).in_directory(&sources);
        let followed = shell.env("PATH", path.as_str()).run();
        let said = (followed.code, followed.errors());
        assert_eq!(said, (Some(0), String::new()), "{line}: {}", followed.text());
    }
}

#[test]
fn the_commands_of_the_readme_take_a_tree_over_with_its_mail() {
    let Some(tree) = Tree::old(Layout::NETQMAIL) else { return };
    if tree.lacks(Need::Tool("make")) {
        return;
    }
    let site = Site::new(&tree);
    let expected = mail_in_every_state(&tree, Layout::NETQMAIL);
    take_over_by_the_readme(&tree);
    let kept = files::names(&tree.path("").join("bin.old"));
    assert!(PROGRAMS.iter().all(|name| kept.contains(&(*name).to_owned())), "{kept:?}");
    let _ = site.finishes(tree.start(), 0, &expected);
}

#[test]
fn an_old_queue_is_finished_exactly_once() {
    old_queue_is_finished(Layout::NETQMAIL);
}

#[test]
fn an_old_queue_with_hashed_todo_is_finished_exactly_once() {
    old_queue_is_finished(Layout { split: 23, hashed: true });
}

#[test]
fn an_old_queue_of_one_part_is_finished_exactly_once() {
    old_queue_is_finished(Layout { split: 1, hashed: false });
}

#[test]
fn an_old_queue_of_one_part_with_hashed_todo_is_finished_exactly_once() {
    old_queue_is_finished(Layout { split: 1, hashed: true });
}

#[test]
fn an_old_queue_of_151_parts_is_finished_exactly_once() {
    old_queue_is_finished(Layout { split: 151, hashed: false });
}

#[test]
fn an_old_queue_of_151_parts_with_hashed_todo_is_finished_exactly_once() {
    old_queue_is_finished(Layout { split: 151, hashed: true });
}

#[test]
fn old_litter_goes_and_new_litter_stays() {
    let Some(tree) = Tree::old(Layout::NETQMAIL) else { return };
    let site = Site::new(&tree);
    let queue = tree.old_queue(Layout::NETQMAIL);
    let long_ago = SystemTime::now() - Duration::from_secs(129_700);
    let old = queue.message("Subject: x\n\nold\n");
    files::set_times(&queue.file("mess", old), long_ago);
    // Somebody may be writing this one.
    let new = queue.message("Subject: x\n\nnew\n");
    let expected = mail_in_every_state(&tree, Layout::NETQMAIL);
    take_over(&tree);
    let _ = site.finishes(tree.start(), 1, &expected);
    assert!(!queue.file("mess", old).exists() && queue.file("mess", new).exists());
}

/// Whether the original is not given.
fn lacks_original() -> bool {
    let is_missing = original().is_none();
    if is_missing {
        println!("skipped: QMAIL_ORIGINAL names no tree");
    }
    is_missing
}

fn put_originals_back(tree: &Tree) {
    let programs = original().map(|home| files::names(&home.join("bin"))).unwrap_or_default();
    programs.iter().for_each(|name| tree.put_original(name));
}

#[test]
fn the_original_finishes_a_queue_that_ours_left() {
    if lacks_original() {
        return;
    }
    let Some(tree) = Tree::old(Layout::NETQMAIL) else { return };
    let site = Site::new(&tree);
    take_over(&tree);
    // Ours preprocess, deliver nothing, and take further mail after they have stopped.
    tree.control("concurrencylocal", "0");
    tree.control("concurrencyremote", "0");
    let recipients = ["joe@test.example", "bob@far.example"];
    let running = tree.start();
    tree.queue("jane@test.example", &recipients, "Subject: x\n\nsorted\n");
    running.wait_for("info msg ");
    wait::until("sorting", || tree.todo().is_empty().then_some(()));
    running.stop();
    tree.queue("jane@test.example", &recipients, "Subject: x\n\nunsorted\n");
    tree.remove_control("concurrencylocal");
    tree.remove_control("concurrencyremote");
    let mut expected = preprocessed(&tree, Layout::NETQMAIL);
    expected.push(("sorted".into(), [1, 0, 1, 0]));
    expected.push(("unsorted".into(), [1, 0, 1, 0]));
    put_originals_back(&tree);
    let _ = site.finishes(tree.start(), 0, &expected);
}

#[test]
fn the_original_finishes_what_a_crash_of_ours_left() {
    if lacks_original() {
        return;
    }
    let Some(tree) = Tree::old(Layout::NETQMAIL) else { return };
    let site = Site::new(&tree);
    take_over(&tree);
    tree.user("joe").instruct("", "|sleep 3600\n");
    let mut running = tree.start();
    tree.queue(
        "jane@test.example",
        &["jane@test.example", "joe@test.example"],
        "Subject: x\n\nhalf\n",
    );
    // What is not on disk may be done again.
    wait::until("jane's mark", || {
        let files = tree.queue_files("local").into_iter();
        let mut marks = files.map(|file| files::read(&tree.path("queue/local").join(file)));
        marks.any(|marks| marks.starts_with(b"D")).then_some(())
    });
    running.signal(nix::sys::signal::Signal::SIGKILL);
    running.wait();
    for name in ["qmail-todo", "qmail-clean", "qmail-lspawn", "qmail-rspawn", "sleep"] {
        wait::until("the end of the others", || {
            for process in tree.processes_named(name) {
                let _ = nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGKILL);
            }
            tree.processes_named(name).is_empty().then_some(())
        });
    }
    tree.user("joe").instruct("", "./joe-maildir/\n");
    put_originals_back(&tree);
    let _ = site.finishes(tree.start(), 0, &[("half".into(), [1, 1, 0, 0])]);
}

#[test]
fn a_converted_queue_goes_back_to_the_original() {
    if lacks_original() {
        return;
    }
    let layout = Layout { split: 151, hashed: true };
    let Some(tree) = Tree::old(layout) else { return };
    let site = Site::new(&tree);
    let expected = mail_in_every_state(&tree, layout);
    take_over(&tree);
    let converted = tree.program("qmail-qrepair").args(["-r", "-n", "-s", "23"]).run();
    // A file that was being written in the crash stays as it is: it will be written again.
    assert!(converted.said().contains(" 1 left\n"), "{}", converted.said());
    put_originals_back(&tree);
    let _ = site.finishes(tree.start(), 0, &expected);
}
