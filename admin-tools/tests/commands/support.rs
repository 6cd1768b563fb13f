//! A tree in a temporary directory, and commands run on it.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        for directory in ["control", "users", "queue/lock", "queue/todo", "queue/bounce"] {
            fs::create_dir_all(home.path(directory)).unwrap();
        }
        for name in ["mess", "info", "local", "remote"] {
            for part in 0..3 {
                fs::create_dir_all(home.path(&format!("queue/{name}/{part}"))).unwrap();
            }
        }
        home
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, contents: &[u8]) {
        File::create(self.path(name)).unwrap().write_all(contents).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("QMAILHOME", self.root());
        command
    }

    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Outcome {
        outcome(self.command(program).args(arguments))
    }
}

/// Exit code, output, and what it says on standard error.
pub(crate) type Outcome = (i32, String, String);

pub(crate) fn outcome(command: &mut Command) -> Outcome {
    let Output { status, stdout, stderr } =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

pub(crate) fn printed(output: &str) -> Outcome {
    (0, output.into(), String::new())
}

pub(crate) fn failed(code: i32, error: &str) -> Outcome {
    (code, String::new(), format!("{error}\n"))
}
