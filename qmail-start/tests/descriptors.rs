//! Starts stand-ins for the daemons and looks at what each of them was given.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Notes descriptors, arguments and identity under a name of its own, then reads to the end. What
/// is told on 0 is answered on 1 with the name in front.
const STAND_IN: &str = r#"#!/bin/sh
name=$(basename "$0")
note=$NOTES/$name.$$
echo "arguments $*" > "$note.partial"
echo "user $(id -u) groups $(id -G)" >> "$note.partial"
echo "directory $(pwd) mask $(umask)" >> "$note.partial"
# Redirected in a child of the shell each time: in the shell itself it would be seen.
for each in 0 1 2 3 4 5 6 7 8 9; do
    (echo "$each $(readlink /proc/$$/fd/$each)" >> "$note.partial")
done
mv "$note.partial" "$note"
case $name in
qmail-send) sleep 600 & echo "$!" > "$NOTES/sleeper"; wait ;;
*) while read -r line; do :; done ;;
esac
"#;

const DAEMONS: [&str; 5] =
    ["qmail-lspawn", "qmail-rspawn", "qmail-clean", "qmail-todo", "qmail-send"];

struct Stage {
    root: tempfile::TempDir,
    uid: u32,
    gid: u32,
}

/// What stand-ins noted: a map from the first word of a line to the rest.
type Note = BTreeMap<String, String>;

impl Stage {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
        let own = fs::metadata(root.path()).unwrap();
        let (uid, gid) = if own.uid() == 0 { (65534, 65534) } else { (own.uid(), own.gid()) };
        let stage = Self { root, uid, gid };
        for directory in ["users", "bin", "notes"] {
            fs::create_dir(stage.path(directory)).unwrap();
        }
        fs::set_permissions(stage.path("notes"), Permissions::from_mode(0o777)).unwrap();
        let accounts = qmail_core::accounts::Accounts::single_user(uid, gid, stage.root.path());
        write(&stage.path("users/ids"), &accounts.to_ids(), 0o644);
        for name in DAEMONS.iter().chain(&["logger"]) {
            write(&stage.path("bin").join(name), STAND_IN, 0o755);
        }
        stage
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qmail-start"));
        command
            .args(arguments)
            .env("QMAILHOME", self.root.path())
            .env("NOTES", self.path("notes"))
            .env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()))
            .stdin(Stdio::null())
            .stdout(File::create(self.path("notes/output")).unwrap());
        command
    }

    /// Starts everything, waits for `count` notes, ends everything.
    fn play(&self, arguments: &[&str], count: usize) -> Vec<(String, Note)> {
        let mut send = self.command(arguments).spawn().unwrap();
        let started = Instant::now();
        while self.notes().len() < count || !self.path("notes/sleeper").exists() {
            assert!(started.elapsed() < Duration::from_secs(60), "only {:?}", self.notes());
            std::thread::sleep(Duration::from_millis(5));
        }
        let notes = self.notes();
        send.kill().unwrap();
        send.wait().unwrap();
        let sleeper = fs::read_to_string(self.path("notes/sleeper")).unwrap();
        Command::new("kill").arg(sleeper.trim()).status().unwrap();
        notes
    }

    fn notes(&self) -> Vec<(String, Note)> {
        let names = fs::read_dir(self.path("notes")).unwrap().flatten();
        let mut notes: Vec<_> = names
            .filter_map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                let (program, number) = name.split_once('.')?;
                number.parse::<u32>().ok()?;
                let text = fs::read_to_string(entry.path()).unwrap();
                let pairs = text.lines().filter_map(|line| line.split_once(' '));
                let note = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
                Some((program.to_owned(), note))
            })
            .collect();
        notes.sort_by(|left, right| left.0.cmp(&right.0));
        notes
    }
}

fn write(path: &Path, text: &str, mode: u32) {
    File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn of<'a>(notes: &'a [(String, Note)], program: &str) -> Vec<&'a Note> {
    notes.iter().filter(|(name, _)| name == program).map(|(_, note)| note).collect()
}

fn open(note: &Note) -> Vec<&str> {
    // From 10 on they belong to the shell that runs the stand-in.
    let numbers = note.keys().filter(|key| key.parse::<u8>().is_ok());
    numbers.filter(|key| !note[*key].is_empty()).map(String::as_str).collect()
}

#[test]
fn each_daemon_has_its_ends_of_its_pipes_and_nothing_else() {
    let stage = Stage::new();
    let notes = stage.play(&["./Maildir/"], 6);
    let (lspawn, rspawn) = (of(&notes, "qmail-lspawn")[0], of(&notes, "qmail-rspawn")[0]);
    let (todo, send) = (of(&notes, "qmail-todo")[0], of(&notes, "qmail-send")[0]);
    let cleans = of(&notes, "qmail-clean");
    assert_eq!(cleans.len(), 2);
    assert_eq!(open(send), ["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
    assert_eq!(open(todo), ["0", "1", "2", "3"]);
    for server in [lspawn, rspawn, cleans[0], cleans[1]] {
        assert_eq!(open(server), ["0", "1"]);
    }
    let ends = |note: &Note, left: &str, right: &str| (note[left].clone(), note[right].clone());
    assert_eq!(ends(send, "1", "2"), ends(lspawn, "0", "1"));
    assert_eq!(ends(send, "3", "4"), ends(rspawn, "0", "1"));
    assert_eq!(ends(send, "7", "8"), ends(todo, "0", "1"));
    let mut asked = [ends(send, "5", "6"), ends(todo, "2", "3")];
    let mut answered = [ends(cleans[0], "0", "1"), ends(cleans[1], "0", "1")];
    asked.sort();
    answered.sort();
    assert_eq!(asked, answered);
    assert!(send["0"].ends_with("notes/output"));
    assert_eq!(lspawn["arguments"], "./Maildir/");
}

#[test]
fn the_logger_stands_between_qmail_send_and_the_output() {
    let stage = Stage::new();
    let notes = stage.play(&["./Mailbox", "logger", "two", "words"], 7);
    let (logger, send) = (of(&notes, "logger")[0], of(&notes, "qmail-send")[0]);
    assert_eq!(logger["arguments"], "two words");
    assert_eq!(open(logger), ["0", "1"]);
    assert_eq!(logger["0"], send["0"]);
    assert!(logger["1"].ends_with("notes/output"));
}

#[test]
fn daemons_run_as_their_accounts_in_the_root_directory() {
    let stage = Stage::new();
    for (program, note) in stage.play(&[], 6) {
        assert_eq!(note["directory"], "/ mask 0077", "{program}");
        let is_root = program == "qmail-lspawn" && qmail_sys::effective_uid() == 0;
        let uid = if is_root { 0 } else { stage.uid };
        assert!(note["user"].starts_with(&format!("{uid} groups")), "{program}: {}", note["user"]);
        if qmail_sys::effective_uid() == 0 {
            assert_eq!(note["user"], format!("{uid} groups {}", stage.gid), "{program}");
        }
    }
}

#[test]
fn without_the_accounts_it_exits_111_and_says_nothing() {
    let stage = Stage::new();
    write(&stage.path("users/ids"), "", 0o644);
    let output = stage.command(&[]).stdout(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), output.stdout, output.stderr), (Some(111), vec![], vec![]));
}

#[test]
fn without_qmail_send_it_exits_111() {
    let stage = Stage::new();
    fs::remove_file(stage.path("bin/qmail-send")).unwrap();
    assert_eq!(stage.command(&[]).status().unwrap().code(), Some(111));
}
