//! Trees made by our own `install`.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use tempfile::TempDir;

use crate::accounts::Accounts;
use crate::sandbox::Sandbox;
use crate::sources::workspace;

/// A tree that belongs to the caller, made once for all tests of a process.
pub(crate) fn installed_by_user() -> PathBuf {
    static TEMPLATE: OnceLock<TempDir> = OnceLock::new();
    let template = TEMPLATE.get_or_init(|| {
        let work = crate::tree::workplace();
        let mut install = Command::new(build().join("install"));
        run(install.env("QMAILHOME", work.path().join("tree")));
        crate::tree::remove_at_exit(work.path());
        work
    });
    template.path().join("tree")
}

/// A tree of these programs installed by root, made once for all tests of a process, and the home
/// it is made for.
pub(crate) fn installed_by_root(programs: &Path) -> (PathBuf, PathBuf) {
    static TEMPLATES: Mutex<BTreeMap<PathBuf, TempDir>> = Mutex::new(BTreeMap::new());
    let home = configured_home();
    let mut templates = TEMPLATES.lock().expect("nobody panics with it");
    let template = templates.entry(programs.to_owned()).or_insert_with(|| {
        let work = crate::tree::workplace();
        let place = work.path().join("tree");
        fs::create_dir(&place).expect("a fresh directory has room");
        let accounts = Accounts::of_tree(&place);
        let mounts = accounts.mounts(work.path(), &home, &[(place, home.clone())]);
        let sandbox = Sandbox::start(work.path(), &mounts);
        let words = sandbox.enter(None, None);
        run(Command::new(&words[0]).args(&words[1..]).arg(programs.join("install")));
        crate::tree::remove_at_exit(work.path());
        work
    });
    (template.path().to_owned(), home)
}

fn run(install: &mut Command) {
    let output = install.output().unwrap_or_else(|error| panic!("cannot run {install:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{install:?}: {}: {errors}", output.status);
}

/// Where our programs are.
pub(crate) fn build() -> PathBuf {
    if let Some(directory) = env::var_os("QMAIL_BUILD") {
        return directory.into();
    }
    let target = workspace().join("target");
    [target.join("programs"), target.join("release"), target.join("debug")]
        .into_iter()
        .find(|directory| directory.join("install").is_file())
        .expect("no tree: set QMAIL_UNDER_TEST, or build the programs, or set QMAIL_BUILD")
}

/// Where `install` puts a tree.
pub(crate) fn configured_home() -> PathBuf {
    let text = fs::read_to_string(workspace().join("install/conf-qmail")).unwrap_or_default();
    let line = text.lines().next().filter(|line| !line.is_empty());
    PathBuf::from(line.unwrap_or("/var/qmail"))
}
