//! Whole trees.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use qmail_core::accounts::Accounts;

use crate::layout::{BESIDE, rows};
use crate::what::What;
use crate::{Failure, Place, check, complete, install};

/// A tree of whoever runs the tests, and a directory with programs for it.
pub(crate) struct Scene {
    pub(crate) root: tempfile::TempDir,
    pub(crate) place: Place,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let built = root.path().join("built");
        fs::create_dir(&built).unwrap();
        let installed = rows().filter(|row| row.what == What::Program);
        let installed = installed.filter_map(|row| row.path.rsplit('/').next());
        for name in installed.chain(BESIDE) {
            write(&built.join(name), "first build");
        }
        let own = fs::metadata(root.path()).unwrap();
        let home = root.path().join("qmail");
        let accounts = Accounts::single_user(own.uid(), own.gid(), &home);
        Self { place: Place { home, accounts, outdated_ids: false }, root }
    }

    pub(crate) fn installed() -> Self {
        let scene = Self::new();
        scene.install().unwrap();
        scene
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.place.home.join(relative)
    }

    pub(crate) fn install(&self) -> Result<(), Failure> {
        install(&self.place, &[self.built()])
    }

    pub(crate) fn built(&self) -> PathBuf {
        self.root.path().join("built")
    }

    pub(crate) fn check(&self) -> Vec<String> {
        let mut lines = Vec::new();
        check(&self.place, &mut |line| lines.push(line.to_owned())).unwrap();
        lines
    }
}

pub(crate) fn write(path: &Path, text: &str) {
    File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn nothing_is_wrong_with_a_new_tree_nor_when_it_is_made_again() {
    let scene = Scene::installed();
    assert_eq!(scene.check(), [""; 0]);
    assert_eq!(mode(&scene.path("queue/lock/trigger")), 0o622);
    assert_eq!(fs::metadata(scene.path("queue/lock/tcpto")).unwrap().len(), 1024);
    assert!(scene.path("queue/todo/22").is_dir());
    assert!(!scene.path("queue/mess/23").exists());
    scene.install().unwrap();
    assert_eq!(scene.check(), [""; 0]);
}

#[test]
fn what_belongs_to_the_site_is_kept() {
    let scene = Scene::installed();
    let kept = ["control/me", "alias/.qmail-root", "users/assign", "queue/mess/3/4711"];
    for name in kept {
        write(&scene.path(name), "mine");
    }
    write(&scene.path("queue/lock/tcpto"), "hosts that do not answer");
    write(&scene.path("bin/qmail-of-another-version"), "kept");
    scene.install().unwrap();
    for name in kept {
        assert_eq!(fs::read_to_string(scene.path(name)).unwrap(), "mine", "{name}");
    }
    let tcpto = fs::read_to_string(scene.path("queue/lock/tcpto")).unwrap();
    assert_eq!(tcpto, "hosts that do not answer");
    assert!(scene.path("bin/qmail-of-another-version").exists());
}

#[test]
fn a_program_that_runs_keeps_its_file() {
    let scene = Scene::installed();
    let running = File::open(scene.path("bin/qmail-send")).unwrap();
    write(&scene.root.path().join("built/qmail-send"), "second build");
    scene.install().unwrap();
    assert_eq!(std::io::read_to_string(running).unwrap(), "first build");
    assert_eq!(fs::read_to_string(scene.path("bin/qmail-send")).unwrap(), "second build");
    let names = fs::read_dir(scene.path("bin")).unwrap().flatten();
    assert!(names.into_iter().all(|entry| !entry.file_name().as_encoded_bytes().starts_with(b".")));
}

#[test]
fn flat_envelopes_stay_flat() {
    let scene = Scene::installed();
    for part in 0..23 {
        fs::remove_dir(scene.path(&format!("queue/todo/{part}"))).unwrap();
        fs::remove_dir(scene.path(&format!("queue/intd/{part}"))).unwrap();
    }
    scene.install().unwrap();
    assert!(!scene.path("queue/todo/0").exists());
    assert_eq!(scene.check(), [""; 0]);
}

#[test]
fn a_queue_that_was_closed_for_a_repair_is_not_opened() {
    for name in ["pid", "lock/sendmutex"] {
        let scene = Scene::installed();
        let (open, closed) = (format!("queue/{name}"), format!("queue/{name}.closed"));
        fs::rename(scene.path(&open), scene.path(&closed)).unwrap();
        for failure in [scene.install(), complete(&scene.place)].map(Result::unwrap_err) {
            let queue = scene.path("queue");
            let text = format!("{} is closed: run qmail-qrepair -r again", queue.display());
            assert_eq!(failure.to_string(), text);
        }
        assert!(!scene.path(&open).exists(), "{name}");
        fs::rename(scene.path(&closed), scene.path(&open)).unwrap();
        scene.install().unwrap();
    }
}

#[test]
fn with_a_program_missing_nothing_is_touched() {
    let scene = Scene::new();
    fs::remove_file(scene.root.path().join("built/tcp-env")).unwrap();
    let failure = scene.install().unwrap_err();
    assert_eq!(failure.to_string(), "there is no tcp-env: build it first");
    assert!(!scene.place.home.exists());
}

#[test]
fn nothing_outside_is_given_away_through_the_queue() {
    let scene = Scene::installed();
    let outside = scene.root.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::set_permissions(&outside, Permissions::from_mode(0o700)).unwrap();
    fs::remove_dir(scene.path("queue/bounce")).unwrap();
    symlink(&outside, scene.path("queue/bounce")).unwrap();
    assert!(scene.install().unwrap_err().to_string().starts_with("unable to open "));
    fs::remove_file(scene.path("queue/bounce")).unwrap();
    scene.install().unwrap();
    write(&scene.root.path().join("secret"), "");
    fs::remove_file(scene.path("queue/lock/sendmutex")).unwrap();
    let secret = scene.root.path().join("secret");
    fs::hard_link(secret, scene.path("queue/lock/sendmutex")).unwrap();
    let failure = scene.install().unwrap_err().to_string();
    assert!(failure.ends_with("sendmutex has other names, too"), "{failure}");
}

#[test]
fn the_queue_itself_may_be_on_another_disk() {
    let scene = Scene::installed();
    let disk = scene.root.path().join("disk");
    fs::rename(scene.path("queue"), &disk).unwrap();
    symlink(&disk, scene.path("queue")).unwrap();
    scene.install().unwrap();
    assert_eq!(scene.check(), [""; 0]);
}

#[test]
fn what_is_wrong_is_corrected_and_before_that_told() {
    let scene = Scene::installed();
    let home = scene.place.home.display().to_string();
    fs::set_permissions(scene.path("alias"), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(scene.path("bin/sendmail"), Permissions::from_mode(0o700)).unwrap();
    fs::remove_file(scene.path("queue/lock/trigger")).unwrap();
    write(&scene.path("queue/lock/trigger"), "");
    fs::set_permissions(scene.path("queue/lock/trigger"), Permissions::from_mode(0o622)).unwrap();
    fs::remove_file(scene.path("bin/qmail-queue")).unwrap();
    fs::remove_dir(scene.path("queue/pid")).unwrap();
    assert_eq!(
        scene.check(),
        [
            format!("instcheck: warning: {home}/alias has wrong permissions"),
            format!("instcheck: warning: {home}/queue/pid does not exist"),
            format!("instcheck: warning: {home}/queue/lock/trigger has wrong type"),
            "instcheck: warning: .../bin/qmail-queue does not exist".to_owned(),
            "instcheck: warning: .../bin/sendmail has wrong permissions".to_owned(),
        ]
    );
    fs::remove_file(scene.path("queue/lock/trigger")).unwrap();
    scene.install().unwrap();
    assert_eq!(scene.check(), [""; 0]);
}

#[test]
fn another_owner_is_told() {
    let mut scene = Scene::installed();
    let own = fs::metadata(scene.root.path()).unwrap();
    scene.place.accounts = Accounts::single_user(own.uid() + 1, own.gid() + 1, Path::new("/"));
    let lines = scene.check();
    let of = |path: &str| lines.iter().filter(|line| line.contains(path)).count();
    assert_eq!(of(".../bin/splogger has wrong owner"), 1);
    assert_eq!(of(".../bin/splogger has wrong group"), 1);
}

#[test]
fn a_missing_directory_of_files_is_fatal() {
    let scene = Scene::installed();
    fs::remove_dir_all(scene.path("boot")).unwrap();
    let failure = check(&scene.place, &mut |_| {}).unwrap_err();
    let boot = scene.path("boot");
    let expected = format!("unable to switch to {}: file does not exist", boot.display());
    assert_eq!(failure.to_string(), expected);
}

#[test]
fn what_was_unpacked_gets_its_owner_and_mode_and_a_queue() {
    let scene = Scene::installed();
    fs::remove_dir_all(scene.path("queue")).unwrap();
    fs::remove_file(scene.path("users/ids")).unwrap();
    for name in ["bin/sendmail", "boot/home", "man/man8/qmail-send.8"] {
        fs::set_permissions(scene.path(name), Permissions::from_mode(0o600)).unwrap();
    }
    complete(&scene.place).unwrap();
    assert_eq!(scene.check(), [""; 0]);
    assert!(scene.path("queue/todo/22").is_dir());
}

#[test]
fn what_was_not_unpacked_is_missed() {
    let scene = Scene::installed();
    fs::remove_file(scene.path("bin/splogger")).unwrap();
    let failure = complete(&scene.place).unwrap_err().to_string();
    assert!(failure.ends_with("bin/splogger: file does not exist"), "{failure}");
}
