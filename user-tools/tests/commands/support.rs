//! A home directory with programs of our own making, and commands run in it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Takes message and envelope as qmail-queue does, and keeps them in files.
const QUEUE: &str = "cat >message; cat <&1 >envelope";

pub(crate) struct Home {
    directory: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        let home = Self { directory: tempfile::tempdir().unwrap() };
        fs::create_dir(home.path("bin")).unwrap();
        home.script("bin/qmail-queue", QUEUE);
        home
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    pub(crate) fn write(&self, name: &str, contents: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::File::create(path).unwrap().write_all(contents).unwrap();
    }

    /// Makes a program. Another process writes it: no child of ours can hold it open for writing,
    /// which would keep it from being run.
    pub(crate) fn script(&self, name: &str, lines: &str) {
        let text = format!("#!/bin/sh\n{lines}\n");
        let made = Command::new("sh")
            .args(["-c", "printf %s \"$1\" >\"$0\" && chmod 755 \"$0\""])
            .args([self.path(name).as_os_str(), text.as_ref()])
            .status();
        assert!(made.unwrap().success());
    }

    /// A command of ours, with the environment of a delivery from `s@x` to `joe-e@here`.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("QMAILHOME", self.directory.path())
            .env("SENDER", "s@x")
            .env("NEWSENDER", "new@x")
            .env("LOCAL", "joe-e")
            .env("USER", "joe")
            .env("UFLINE", "From s@x Thu Jan 01 00:00:00 1970\n")
            .env("RPLINE", "Return-Path: <s@x>\n")
            .env("DTLINE", "Delivered-To: joe-e@here\n")
            .current_dir(self.directory.path());
        command
    }
}

/// Runs a command on a file as its input, which like a message in the queue can be rewound.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Outcome {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(input).unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    outcome(command.stdin(file))
}

/// Runs a command with nothing to read.
pub(crate) fn outcome(command: &mut Command) -> Outcome {
    let Output { status, stdout, stderr } =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome { code: status.code(), output: text(stdout), error: text(stderr) }
}

pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) error: String,
}

impl Outcome {
    /// Exit code and standard error, for a comparison.
    pub(crate) fn said(&self) -> (i32, &str) {
        (self.code.unwrap_or(-1), &self.error)
    }
}

/// The names in a directory, sorted.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
