//! Looking at whole trees.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use qmail_core::accounts::Accounts;

use super::look;
use crate::accounts::Missing;
use crate::findings::Findings;
use crate::tests::{Scene, write};

fn looked_at(scene: &Scene) -> Findings {
    look_for(scene, &[])
}

fn look_for(scene: &Scene, missing: &[Missing]) -> Findings {
    let mut findings = Findings::default();
    look(&scene.place, missing, &[scene.built()], &mut findings).unwrap();
    findings
}

/// A tree of another release, with an old program that names these files.
fn patched(names: &[&str]) -> Scene {
    let scene = Scene::installed();
    fs::remove_file(scene.path("users/ids")).unwrap();
    let mut program = File::create(scene.path("bin/qmail-smtpd")).unwrap();
    program.write_all(format!("\u{7f}ELF\0{}\0", names.join("\0")).as_bytes()).unwrap();
    scene
}

fn has(lines: &[String], text: &str) -> bool {
    lines.iter().any(|line| line.contains(text))
}

#[test]
fn nothing_would_be_done_to_a_tree_that_is_complete() {
    assert_eq!(looked_at(&Scene::installed()), Findings::default());
}

#[test]
fn for_a_new_tree_everything_would_be_made_and_nothing_is() {
    let scene = Scene::new();
    let findings = looked_at(&scene);
    assert_eq!(findings.warnings, [""; 0]);
    assert!(findings.lines.iter().all(|line| line.starts_with("would make ")));
    for path in ["bin/qmail-queue", "queue/mess/22", "users/ids", "man/man8/install.8"] {
        assert!(has(&findings.lines, &scene.path(path).display().to_string()), "{path}");
    }
    assert!(!scene.place.home.exists());
}

#[test]
fn what_would_be_corrected_is_told_and_left() {
    let scene = Scene::installed();
    fs::set_permissions(scene.path("queue/info"), Permissions::from_mode(0o755)).unwrap();
    write(&scene.path("bin/qmail-send"), "another build");
    let findings = looked_at(&scene);
    let home = scene.place.home.display();
    assert_eq!(
        findings.lines,
        [
            format!("would change the mode of {home}/queue/info from 0755 to 0700"),
            format!("would replace {home}/bin/qmail-send"),
        ]
    );
    assert_eq!(findings.warnings, [""; 0]);
    assert_eq!(fs::metadata(scene.path("queue/info")).unwrap().mode() & 0o777, 0o755);
    assert_eq!(fs::read_to_string(scene.path("bin/qmail-send")).unwrap(), "another build");
}

#[test]
fn settings_that_nobody_reads_are_told_with_whoever_read_them() {
    let scene = patched(&["control/spfrules", "control/me"]);
    for name in ["me", "spfrules", "badmailform", "concurrencyincoming"] {
        write(&scene.path(&format!("control/{name}")), "x\n");
    }
    let warnings = looked_at(&scene).warnings;
    assert_eq!(
        warnings,
        [
            "install: warning: control/badmailform is read by nobody here".to_owned(),
            "install: warning: control/spfrules is read by bin/qmail-smtpd as it is now, \
             and by nobody here"
                .to_owned(),
        ]
    );
}

#[test]
fn more_deliveries_than_these_programs_can_do_are_told() {
    let scene = Scene::installed();
    write(&scene.path("control/concurrencyremote"), "400\n");
    write(&scene.path("control/concurrencylocal"), "20\n");
    let [warning] = looked_at(&scene).warnings.try_into().unwrap();
    assert!(warning.contains("control/concurrencyremote is 400"), "{warning}");
}

#[test]
fn strangers_stay_unless_an_old_program_needs_them() {
    let scene = patched(&["plugins/first", "bin/qmail-dk"]);
    for name in ["bin/qmail-dk", "bin/vdelivermail", "rc", "notes"] {
        write(&scene.path(name), "x");
    }
    fs::create_dir(scene.path("plugins")).unwrap();
    let findings = looked_at(&scene);
    let used = "is used by bin/qmail-smtpd as it is now, and by nobody here";
    assert!(has(&findings.warnings, &format!("plugins {used}")), "{findings:#?}");
    assert!(has(&findings.warnings, &format!("bin/qmail-dk {used}")), "{findings:#?}");
    let stays: Vec<_> =
        findings.lines.iter().filter_map(|line| line.strip_prefix("stays: ")).collect();
    let expected = ["notes", "bin/vdelivermail"].map(|name| scene.path(name).display().to_string());
    assert_eq!(stays, expected);
}

#[test]
fn wrappers_in_the_place_of_programs_are_told() {
    let scene = Scene::installed();
    write(&scene.path("bin/qmail-queue"), "#!/bin/sh\nexec scan\n");
    write(&scene.path("bin/datemail"), "#!/bin/sh\nexec predate sendmail \"$@\"\n");
    fs::remove_file(scene.path("bin/qmail-local")).unwrap();
    symlink("/opt/local", scene.path("bin/qmail-local")).unwrap();
    let warnings = looked_at(&scene).warnings;
    assert_eq!(warnings.len(), 2, "{warnings:#?}");
    assert!(has(&warnings, "bin/qmail-queue is a script"), "{warnings:#?}");
    assert!(has(&warnings, "bin/qmail-local is a link to /opt/local"), "{warnings:#?}");
}

#[test]
fn what_would_stop_the_installation_is_told() {
    let scene = Scene::installed();
    fs::remove_dir(scene.path("queue/pid")).unwrap();
    write(&scene.path("queue/pid"), "");
    fs::hard_link(scene.path("queue/lock/tcpto"), scene.path("queue/lock/other")).unwrap();
    let warnings = looked_at(&scene).warnings;
    assert!(
        has(&warnings, "queue/pid is not a directory: installation would stop"),
        "{warnings:#?}"
    );
    assert!(has(&warnings, "tcpto has other names, too: installation would stop"), "{warnings:#?}");
}

#[test]
fn a_queue_that_is_divided_in_another_way_is_told() {
    let scene = Scene::installed();
    fs::rename(scene.path("queue/mess/22"), scene.path("queue/mess/23")).unwrap();
    let [warning] = looked_at(&scene).warnings.try_into().unwrap();
    assert!(warning.ends_with(": nothing would be installed"), "{warning}");
}

#[test]
fn recipients_of_further_channels_are_told() {
    let scene = Scene::installed();
    for name in ["suppl0/7", "suppl1/0", "bigtodo"] {
        fs::create_dir_all(scene.path("queue").join(name)).unwrap();
    }
    write(&scene.path("queue/suppl0/7/4711"), "Tjoe@far.example\0");
    let findings = looked_at(&scene);
    let [warning] = findings.warnings.try_into().unwrap();
    assert!(warning.contains("1 messages have recipients in "), "{warning}");
    assert!(has(&findings.lines, "queue/suppl1, empty"), "{:#?}", findings.lines);
    assert!(has(&findings.lines, "queue/bigtodo"), "{:#?}", findings.lines);
}

#[test]
fn a_queue_that_was_copied_is_told() {
    let scene = Scene::installed();
    write(&scene.path("queue/mess/0/new"), "x");
    let inode = fs::metadata(scene.path("queue/mess/0/new")).unwrap().ino();
    let right = scene.path(&format!("queue/mess/{}/{inode}", inode % 23));
    fs::rename(scene.path("queue/mess/0/new"), right).unwrap();
    assert_eq!(looked_at(&scene).warnings, [""; 0]);
    let wrong = inode + 23;
    write(&scene.path(&format!("queue/mess/{}/{wrong}", wrong % 23)), "x");
    write(&scene.path(&format!("queue/info/{}/{inode}", (inode + 1) % 23)), "x");
    // Flat, as before big-todo.
    write(&scene.path(&format!("queue/todo/{inode}")), "x");
    let [warning] = looked_at(&scene).warnings.try_into().unwrap();
    assert!(warning.contains(": 3 files in "), "{warning}");
}

#[test]
fn files_with_other_numbers_than_the_accounts_are_told() {
    let mut scene = Scene::installed();
    fs::remove_file(scene.path("users/ids")).unwrap();
    let own = fs::metadata(&scene.place.home).unwrap();
    let (uid, gid) = (own.uid(), own.gid());
    let ids = format!(
        "user alias {uid} {gid} /\nuser qmaild 12 2 /\nuser qmaill 13 2 /\nuser root 0 0 /\n\
         user qmailp 14 2 /\nuser qmailq {} {gid} /\nuser qmailr {} {gid} /\n\
         user qmails {uid} {gid} /\ngroup qmail {gid}\ngroup nofiles 2\n",
        uid + 1,
        u32::MAX - 1
    );
    scene.place.accounts = Accounts::from_ids(&ids).unwrap();
    let missing = Missing { name: "qmailr", command: vec![] };
    let findings = look_for(&scene, &[missing]);
    let [queue, remote] = findings.warnings[..2].to_vec().try_into().unwrap();
    let shown = format!("this tree has {uid} for user qmailq, which is {} on this host", uid + 1);
    assert!(queue.contains(&shown), "{queue}");
    let shown = format!("there is no user qmailr, and this tree has {uid} for it");
    assert!(remote.contains(&shown), "{remote}");
    let given = format!("tcpto to qmailr:qmail, from {uid}:{gid}");
    assert!(has(&findings.lines, &given), "{:#?}", findings.lines);
}
