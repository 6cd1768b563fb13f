//! The loop, with shell scripts for deliveries.
#![expect(clippy::unwrap_used, reason = "a test, though without the usual harness")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use qmail_spawn::{Begun, Descriptors, Kind, Order, Output, Spawner, Workers};
use qmail_sys::signal::{self, Signal};
use qmail_sys::{Exit, Pipe, Spawn, pipe};
use qmail_wire::spawn::{Command, DeliveryNumber, Limit, Report, ReportParser, Verdict};

fn main() {
    more_deliveries_than_a_byte_can_number_run_at_once();
    deliveries_run_at_once_and_each_has_its_report();
    what_runs_in_the_background_belongs_to_the_delivery();
    children_are_found_where_their_end_was_ignored();
}

/// Runs the sender of a command as a shell script, at once or later.
#[derive(Default)]
struct Scripts(BTreeMap<DeliveryNumber, Later>);

/// A script that waits for a process.
struct Later {
    ready: OwnedFd,
    process: u32,
    script: Vec<u8>,
    report: OwnedFd,
}

#[derive(Default)]
struct Everything(Vec<u8>);

impl Kind for Scripts {
    type Output = Everything;

    fn start(&mut self, order: Order, workers: &mut Workers) -> io::Result<Begun> {
        let Order { command, message, report } = order;
        if command.sender == b"nothing" {
            return Ok(Begun::Over(0));
        }
        if command.sender == b"no process" {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if let Some(script) = command.sender.strip_prefix(b"later: ") {
            let Pipe { read: ready, write: go } = pipe()?;
            let waited_for = shell(b"sleep 0.1").connect(1, go.as_fd()).start()?;
            let later = Later { ready, process: waited_for.id(), script: script.to_vec(), report };
            self.0.insert(command.delivery, later);
            return Ok(Begun::Later);
        }
        let (message, report) = (message.as_fd(), report.as_fd());
        let script = shell(&command.sender).connect(0, message);
        workers.start(script.connect(1, report).connect(2, report)).map(Begun::Running)
    }

    fn waits_for(&self) -> Vec<(DeliveryNumber, BorrowedFd<'_>)> {
        self.0.iter().map(|(number, later)| (*number, later.ready.as_fd())).collect()
    }

    fn go_on(
        &mut self,
        delivery: DeliveryNumber,
        workers: &mut Workers,
    ) -> Vec<(DeliveryNumber, io::Result<Begun>)> {
        // The pipe is ready and the process has ended: whichever is noticed first.
        let Some(later) = self.0.remove(&delivery) else { return Vec::new() };
        let script = shell(&later.script).connect(1, later.report.as_fd());
        vec![(delivery, workers.start(script).map(Begun::Running))]
    }

    fn ended(&mut self, process: u32, exit: Exit) -> Option<DeliveryNumber> {
        assert_eq!(exit, Exit::Code(0));
        let mut all = self.0.iter();
        all.find(|(_, later)| later.process == process).map(|(number, _)| *number)
    }
}

fn shell<'fd>(script: &[u8]) -> Spawn<'fd> {
    Spawn::new("/bin/sh").arg("-c").arg_bytes(script)
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
fn reports(limit: DeliveryNumber, scripts: &[(DeliveryNumber, &str)]) -> Vec<Report> {
    let limit = Limit::new(limit);
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
        sender.write_all(&command.encode(limit.width)).unwrap();
    }
    drop(sender);
    let reports = answers.try_clone().unwrap().into();
    let descriptors = Descriptors { commands: commands.read, reports };
    Spawner::new(Scripts::default(), limit, descriptors, directory.path(), owner)
        .unwrap()
        .run()
        .unwrap();
    let mut bytes = Vec::new();
    answers.rewind().unwrap();
    answers.read_to_end(&mut bytes).unwrap();
    let bytes = bytes.strip_prefix(limit.encode().as_slice()).unwrap();
    let mut parser = ReportParser::new(limit.width);
    let mut all: Vec<Report> = parser.push(bytes).into_iter().map(Result::unwrap).collect();
    all.sort_by_key(|report| report.delivery);
    all
}

fn deliveries_run_at_once_and_each_has_its_report() {
    let limit = 120;
    let all = reports(
        limit,
        &[
            (0, "cat; exit 0"),
            (1, "echo said; echo more >&2; exit 3"),
            (2, "kill -9 $$"),
            // Nothing more comes from it, but it has not ended.
            (3, "exec >&- 2>&-; sleep 0.1; exit 0"),
            (4, "sleep 0.1; echo done"),
            (4, "echo never"),
            (5, "head -c 300000 /dev/zero | tr '\\0' x"),
            (6, "later: echo begun"),
            (7, "nothing"),
            (8, "no process"),
            (limit, "echo never"),
        ],
    );
    let verdicts: Vec<_> = all.iter().map(|report| (report.delivery, report.verdict)).collect();
    let in_use = verdicts.iter().filter(|(number, _)| *number == 4).count();
    assert_eq!(in_use, 2, "{verdicts:?}");
    let text = |number: DeliveryNumber, verdict: Verdict| {
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
    assert_eq!(text(6, Verdict::Success), "begun\n");
    assert_eq!(text(7, Verdict::Success), "");
    assert_eq!(text(8, Verdict::Temporary), "qmail-spawn unable to fork. (#4.3.0)\n");
}

fn more_deliveries_than_a_byte_can_number_run_at_once() {
    let script = |number: DeliveryNumber| (number, "read line; echo $line");
    let scripts: Vec<_> = (0..300).map(script).collect();
    let all = reports(300, &scripts);
    assert_eq!(all.len(), 300);
    for (number, report) in all.iter().enumerate() {
        assert_eq!(usize::from(report.delivery), number);
        assert_eq!(
            (report.verdict, report.text.as_slice()),
            (Verdict::Success, &b"the message\n"[..])
        );
    }
}

fn what_runs_in_the_background_belongs_to_the_delivery() {
    let all = reports(
        2,
        &[(0, "{ sleep 0.1; echo later; } & echo now"), (1, "sleep 1000 >&- 2>&- & echo $!")],
    );
    let texts: Vec<&[u8]> = all.iter().map(|report| report.text.as_slice()).collect();
    assert_eq!(texts[0], b"now\nlater\n");
    let process = String::from_utf8(texts[1].to_vec()).unwrap();
    let ended = std::process::Command::new("kill").arg(process.trim()).status().unwrap();
    assert!(ended.success(), "what had closed the report was waited for");
}

fn children_are_found_where_their_end_was_ignored() {
    signal::ignore(&[Signal::SIGCHLD]).unwrap();
    let all = reports(1, &[(0, "exit 1")]);
    assert_eq!(all[0].verdict, Verdict::Permanent);
}
