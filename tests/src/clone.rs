//! What is here now as a clone of git's, with one commit.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::{env, fs};

use crate::sources::workspace;
use crate::tree;

/// Commits everything but what was built, as nobody in particular.
const COMMIT: &str = "\
    tar -C \"$1\" --exclude=.git --exclude=./.cargo --exclude=target -cf - . | tar -xf -
    git init --quiet
    git add --all
    git -c user.name=x -c user.email=x@x.example commit --quiet --message=x";

/// The clone, in a directory of its own with room beside it; made once for all tests of a process.
///
/// # Panics
///
/// When git fails, or is not there.
#[must_use]
pub fn directory() -> &'static Path {
    static CLONE: OnceLock<PathBuf> = OnceLock::new();
    CLONE.get_or_init(|| {
        let work = tree::workplace().keep();
        tree::remove_at_exit(&work);
        let clone = work.join("clone");
        fs::create_dir(&clone).expect("a fresh directory has room");
        let output = command(&clone, COMMIT).arg(workspace()).output().expect("sh runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        clone
    })
}

/// Runs a shell script in a directory, without anybody's configuration of git, and with the cargo
/// that these tests were built by.
///
/// # Panics
///
/// When there is no shell.
#[must_use]
pub fn try_shell(directory: &Path, script: &str) -> Output {
    command(directory, script).output().expect("sh runs")
}

/// Runs one that must succeed; what it prints.
///
/// # Panics
///
/// When it fails.
#[must_use]
pub fn shell(directory: &Path, script: &str) -> String {
    let output = try_shell(directory, script);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn command(directory: &Path, script: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-ec", script, "sh"]).current_dir(directory).env("PATH", path());
    shell.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    // A hook that runs these tests says where its own clone is.
    shell.env_remove("GIT_DIR").env_remove("GIT_INDEX_FILE").env_remove("GIT_WORK_TREE");
    shell.env_remove("CARGO_TARGET_DIR");
    shell
}

fn path() -> OsString {
    let tools = Path::new(env!("CARGO")).parent().map(Path::to_owned);
    let others = env::var_os("PATH").unwrap_or_default();
    let all = tools.into_iter().chain(env::split_paths(&others));
    env::join_paths(all).expect("they were in such a list before")
}
