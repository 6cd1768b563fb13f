//! `install --dry-run` over trees of netqmail's: it tells everything and changes nothing.

use std::fs;

use qmail_conformance::host::install;
use qmail_conformance::old_tree::{Layout, PROGRAMS};
use qmail_conformance::snapshot::snapshot;
use qmail_conformance::{Tree, files};

/// Takes lines of an account file away, or changes them. In place: it is mounted.
fn edit(tree: &Tree, path: &str, change: impl Fn(&str) -> Option<String>) {
    let path = tree.in_its_world(path);
    let text = fs::read_to_string(&path).unwrap();
    let lines = text.lines().filter_map(change).map(|line| line + "\n");
    files::write(&path, lines.collect::<String>());
}

#[test]
fn it_tells_what_would_change_and_changes_nothing() {
    let Some(tree) = Tree::old(Layout::NETQMAIL) else { return };
    files::set_mode(&tree.path("queue/info"), 0o755);
    let before = snapshot(&tree.path(""));
    let looked = tree.install(&["--dry-run"]);
    assert_eq!(snapshot(&tree.path("")), before);
    assert_eq!((looked.code, looked.errors()), (Some(0), String::new()), "{}", looked.text());
    let home = tree.home().display();
    let lines = looked.text();
    let tells = |line: String| lines.lines().any(|told| told == line);
    for program in PROGRAMS {
        assert!(tells(format!("would replace {home}/bin/{program}")), "{program}: {lines}");
    }
    assert!(tells(format!("would make {home}/bin/qmail-todo")), "{lines}");
    assert!(tells(format!("would change the mode of {home}/queue/info from 0755 to 0700")));
    assert!(!lines.contains("would make /var/qmail/queue"), "{lines}");
}

#[test]
fn nothing_is_left_to_tell_after_a_takeover() {
    let Some(tree) = Tree::old(Layout { split: 151, hashed: true }) else { return };
    assert_eq!(tree.install(&[]).code, Some(0));
    let looked = tree.install(&["--dry-run"]);
    assert_eq!((looked.code, looked.said()), (Some(0), String::new()));
}

#[test]
fn whoever_is_not_root_is_told_that_he_cannot_take_a_tree_over() {
    let Some(tree) = Tree::old(Layout::NETQMAIL) else { return };
    let before = snapshot(&tree.path(""));
    for words in [&["--dry-run"][..], &[]] {
        let install = tree.command(install()).args(words.iter().copied());
        let tried = install.run_as(tree.user("joe").identity()).run();
        let (home, why) = (tree.home().display(), "is somebody else's: only root can take it");
        let told =
            format!("install: fatal: {home} {why}, and QMAILHOME names a tree of one's own\n");
        assert_eq!((tried.code, tried.errors()), (Some(111), told));
    }
    assert_eq!(snapshot(&tree.path("")), before);
}

#[test]
fn it_names_what_would_stop_working() {
    let Some(tree) = Tree::old(Layout::NETQMAIL) else { return };
    tree.control("rblhosts", "of a patch\n");
    fs::create_dir_all(tree.path("queue/suppl0/0")).unwrap();
    files::write(&tree.path("queue/suppl0/0/23"), "Tbob@far.example\0");
    let wrapper = tree.path("").join("bin/qmail-queue");
    files::write_script(&wrapper, "exec scanner");
    let looked = tree.install(&["--dry-run"]);
    assert_eq!(looked.code, Some(1), "{}", looked.said());
    let warnings = looked.errors();
    for told in [
        "control/rblhosts is read by nobody here",
        "queue/suppl0, for a qmail with more channels",
        "bin/qmail-queue is a script, perhaps a wrapper",
    ] {
        assert!(warnings.contains(told), "{told}: {warnings}");
    }
}

#[test]
fn accounts_that_are_missing_or_have_other_numbers_are_told() {
    let Some(tree) = Tree::old(Layout::NETQMAIL) else { return };
    let old = tree.accounts().qmails.uid;
    edit(&tree, "/etc/passwd", |line| {
        let is_missing = line.starts_with("qmailr:");
        let changed = line.replacen(&format!("qmails:x:{old}:"), "qmails:x:7999:", 1);
        (!is_missing).then_some(changed)
    });
    // The originals, if there are any, say whom they were built for.
    let showctl = tree.path("").join("bin/qmail-showctl");
    let is_original = fs::read(&showctl).unwrap() != fs::read("/bin/sleep").unwrap();
    let accounts = fs::read(tree.in_its_world("/etc/passwd")).unwrap();
    let looked = tree.install(&["--dry-run"]);
    assert_eq!(fs::read(tree.in_its_world("/etc/passwd")).unwrap(), accounts);
    assert_eq!(looked.code, Some(1), "{}", looked.said());
    assert!(looked.text().contains("would run useradd "), "{}", looked.said());
    let warnings = looked.errors();
    assert!(warnings.contains("there is no user qmailr, and this tree has "), "{warnings}");
    if !is_original {
        let told = format!("this tree has {old} for user qmails, which is 7999 on this host");
        assert!(warnings.contains(&told), "{warnings}");
    }
}

#[test]
fn an_old_showctl_is_asked_for_the_numbers_that_are_compiled_in() {
    let Some(tree) = Tree::old(Layout::NETQMAIL) else { return };
    let showctl = tree.path("").join("bin/qmail-showctl");
    files::write_script(
        &showctl,
        "echo 'user ids: 1, 2, 3, 0, 4, 5, 6, 7.'; echo 'group ids: 8, 9.'; sleep 3600",
    );
    let warnings = tree.install(&["--dry-run"]).errors();
    for told in ["has 5 for user qmailq", "has 9 for group qmail,", "has 8 for group nofiles"] {
        assert!(warnings.contains(told), "{told}: {warnings}");
    }
}

#[test]
fn a_tree_on_a_disk_without_set_id_bits_is_told() {
    let Some(tree) = Tree::old(Layout::NETQMAIL) else { return };
    let home = tree.home().to_owned();
    tree.shell(&format!("mount -o remount,bind,nosuid {}", home.display()));
    let looked = tree.install(&["--dry-run"]);
    let told =
        format!("{} is mounted nosuid: qmail-queue could not become", home.join("bin").display());
    assert!(looked.errors().contains(&told), "{}", looked.said());
    assert_eq!(looked.code, Some(1));
}
