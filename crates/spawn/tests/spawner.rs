//! The loop, with shell scripts for deliveries.
#![expect(clippy::unwrap_used, reason = "a test, though without the usual harness")]

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt;

use qmail_core::built_in;
use qmail_spawn::{Descriptors, Kind, Output, Spawner};
use qmail_sys::signal::{self, Signal};
use qmail_sys::{Child, Exit, Spawn, pipe};
use qmail_wire::spawn::{Command, Report, ReportParser, Verdict};

fn main() {
    deliveries_run_at_once_and_each_has_its_report();
    what_runs_in_the_background_belongs_to_the_delivery();
    children_are_found_where_their_end_was_ignored();
}

/// Runs the sender of a command as a shell script.
struct Scripts;

#[derive(Default)]
struct Everything(Vec<u8>);

impl Kind for Scripts {
    type Output = Everything;

    fn start(
        &self,
        command: &Command,
        message: BorrowedFd<'_>,
        report: BorrowedFd<'_>,
    ) -> io::Result<Child> {
        let shell = Spawn::new("/bin/sh").arg("-c").arg_bytes(&command.sender);
        shell.connect(0, message).connect(1, report).connect(2, report).start()
    }
}

impl Output for Everything {
    fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn judge(self, exit: Exit) -> (Verdict, Vec<u8>) {
        match exit {
            Exit::Code(0) => (Verdict::Success, self.0),
            Exit::Code(_) => (Verdict::Permanent, self.0),
            Exit::Signal(_) => (Verdict::Temporary, self.0),
        }
    }
}

/// All reports for these scripts, in the order of delivery numbers.
fn reports(scripts: &[(u8, &str)]) -> Vec<Report> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("1");
    File::create(&path).unwrap().write_all(b"the message").unwrap();
    let owner = path.metadata().unwrap().uid();
    let commands = pipe().unwrap();
    // A file takes any number of reports while nobody reads them; a pipe would not.
    let mut answers = tempfile::tempfile().unwrap();
    let mut sender = File::from(commands.write);
    for (number, script) in scripts {
        let command = Command {
            delivery: *number,
            message: b"1".to_vec(),
            sender: script.as_bytes().to_vec(),
            recipient: b"a@b".to_vec(),
        };
        sender.write_all(&command.encode()).unwrap();
    }
    drop(sender);
    let reports = answers.try_clone().unwrap().into();
    let descriptors = Descriptors { commands: commands.read, reports };
    Spawner::new(&Scripts, descriptors, directory.path(), owner).unwrap().run().unwrap();
    let mut bytes = Vec::new();
    answers.rewind().unwrap();
    answers.read_to_end(&mut bytes).unwrap();
    let (limit, bytes) = bytes.split_first().unwrap();
    assert_eq!(*limit, built_in::spawn_limit());
    let mut all: Vec<Report> =
        ReportParser::new().push(bytes).into_iter().map(Result::unwrap).collect();
    all.sort_by_key(|report| report.delivery);
    all
}

fn deliveries_run_at_once_and_each_has_its_report() {
    let limit = built_in::spawn_limit();
    let all = reports(&[
        (0, "cat; exit 0"),
        (1, "echo said; echo more >&2; exit 3"),
        (2, "kill -9 $$"),
        // Nothing more comes from it, but it has not ended.
        (3, "exec >&- 2>&-; sleep 0.1; exit 0"),
        (4, "sleep 0.1; echo done"),
        (4, "echo never"),
        (5, "head -c 300000 /dev/zero | tr '\\0' x"),
        (limit, "echo never"),
    ]);
    let verdicts: Vec<_> = all.iter().map(|report| (report.delivery, report.verdict)).collect();
    let in_use = verdicts.iter().filter(|(number, _)| *number == 4).count();
    assert_eq!(in_use, 2, "{verdicts:?}");
    let text = |number: u8, verdict: Verdict| {
        let of = |report: &&Report| report.delivery == number && report.verdict == verdict;
        String::from_utf8(all.iter().find(of).unwrap().text.clone()).unwrap()
    };
    assert_eq!(text(0, Verdict::Success), "the message");
    assert_eq!(text(1, Verdict::Permanent), "said\nmore\n");
    assert_eq!(text(2, Verdict::Temporary), "");
    assert_eq!(text(3, Verdict::Success), "");
    assert_eq!(text(4, Verdict::Temporary), "Internal error: delnum in use. (#4.3.5)\n");
    assert_eq!(text(limit, Verdict::Temporary), "Internal error: delnum too big. (#4.3.5)\n");
    assert!(text(5, Verdict::Success).starts_with("xxx"));
    assert_eq!(text(4, Verdict::Success), "done\n");
}

fn what_runs_in_the_background_belongs_to_the_delivery() {
    let all = reports(&[
        (0, "{ sleep 0.1; echo later; } & echo now"),
        (1, "sleep 1000 >&- 2>&- & echo $!"),
    ]);
    let texts: Vec<&[u8]> = all.iter().map(|report| report.text.as_slice()).collect();
    assert_eq!(texts[0], b"now\nlater\n");
    let process = String::from_utf8(texts[1].to_vec()).unwrap();
    let ended = std::process::Command::new("kill").arg(process.trim()).status().unwrap();
    assert!(ended.success(), "what had closed the report was waited for");
}

fn children_are_found_where_their_end_was_ignored() {
    signal::ignore(&[Signal::SIGCHLD]).unwrap();
    let all = reports(&[(0, "exit 1")]);
    assert_eq!(all[0].verdict, Verdict::Permanent);
}
