//! hi-q: filters one after the other before the queue program, while the client waits.
//!
//! The queue program gets its envelope only after all filters have ended well, and an envelope that
//! is cut off is never queued. So a message that a filter does not want is refused in the session,
//! and cannot slip into the queue.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use qmail_sys::{Child, Exit, FailureCodes, Spawn, pipe};

use crate::command::ends_before;

/// What a filter exits with to refuse the message.
const REFUSED: u8 = 1;
/// What a filter exits with to make the message disappear, if that is allowed.
const DROPPED: u8 = 99;

/// What is to be run.
#[derive(Debug)]
pub struct Chain {
    /// The filters.
    pub filters: Vec<Vec<OsString>>,
    /// The queue program behind them.
    pub queue: OsString,
    /// How long the filters may take together.
    pub time: Duration,
    /// Whether exit code 99 of a filter makes a message disappear.
    pub may_drop: bool,
}

/// What the filters said together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judgement {
    Pass,
    Drop,
    Refuse,
    Fail,
}

impl Chain {
    /// Runs the message through all filters into the queue program. The exit code: that of the queue
    /// program, or 21 refused, 71 try later.
    ///
    /// # Errors
    /// If there are no pipes or processes left.
    pub fn run(&self, message: OwnedFd, envelope: OwnedFd) -> io::Result<u8> {
        let mut input = message;
        let mut running = Vec::new();
        for words in &self.filters {
            let next = pipe()?;
            let spawn = crate::command::spawn(words)
                .connect(0, input.as_fd())
                .connect(1, next.write.as_fd())
                .failing_with(FailureCodes::all(71));
            running.push(spawn.start()?);
            input = next.read;
        }
        let envelope_pipe = pipe()?;
        let queue = Spawn::new(&self.queue)
            .connect(0, input.as_fd())
            .connect(1, envelope_pipe.read.as_fd())
            .failing_with(FailureCodes::all(120))
            .start()?;
        drop((input, envelope_pipe.read));
        let judgement = self.judge(running)?;
        if judgement == Judgement::Pass {
            // A queue program that ends early reads nothing more: its exit code says why.
            let _ = io::copy(&mut File::from(envelope), &mut File::from(envelope_pipe.write));
        } else {
            drop(envelope_pipe.write);
        }
        let end = queue.wait()?;
        Ok(match (judgement, end) {
            (Judgement::Pass, Exit::Code(code)) => code,
            (Judgement::Drop, _) => 0,
            (Judgement::Refuse, _) => 21,
            (Judgement::Pass | Judgement::Fail, _) => 71,
        })
    }

    /// Waits for all filters, or until their time is over.
    fn judge(&self, running: Vec<Child>) -> io::Result<Judgement> {
        let deadline = Instant::now() + self.time;
        let mut judgement = Judgement::Pass;
        let mut is_late = false;
        for child in running {
            is_late = is_late || !ends_before(&child, deadline)?;
            if is_late {
                // It may have ended in the meantime.
                let _ = child.kill();
            }
            let next = self.judgement(child.wait()?);
            judgement = combine(judgement, if is_late { Judgement::Fail } else { next });
        }
        Ok(judgement)
    }

    fn judgement(&self, exit: Exit) -> Judgement {
        match exit {
            Exit::Code(0) => Judgement::Pass,
            Exit::Code(REFUSED) => Judgement::Refuse,
            Exit::Code(DROPPED) if self.may_drop => Judgement::Drop,
            Exit::Code(_) | Exit::Signal(_) => Judgement::Fail,
        }
    }
}

/// A refusal counts unless a filter before it failed: then it has not seen the message. What comes
/// behind a refusal may fail because of it.
fn combine(before: Judgement, next: Judgement) -> Judgement {
    match before {
        Judgement::Pass => next,
        Judgement::Drop if next == Judgement::Refuse => next,
        before => before,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// The exit code for these filters, each a shell command, and what was queued.
    fn run(filters: &[&str], time: Duration, may_drop: bool) -> (u8, String) {
        let home = tempfile::tempdir().unwrap();
        let script = "exec 5<&1; { cat; printf '|'; cat <&5; } > \"$0.got\"; tail -c 1 \"$0.got\" | od -An -tx1 \
                      | grep -q 00 && mv \"$0.got\" \"$0.queued\" || exit 54";
        let queue = home.path().join("queue");
        let mut writer = std::process::Command::new("/bin/sh")
            .args(["-c", "cat > $0 && chmod 755 $0"])
            .arg(&queue)
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let text = format!("#!/bin/sh\n{script}\n");
        writer.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(writer.wait().unwrap().success());
        let chain = Chain {
            filters: filters
                .iter()
                .map(|line| crate::command::parse(line.as_bytes()).unwrap())
                .collect(),
            queue: queue.clone().into(),
            time,
            may_drop,
        };
        let (message, envelope) = (pipe().unwrap(), pipe().unwrap());
        File::from(message.write).write_all(b"Subject: x\n\nham\n").unwrap();
        File::from(envelope.write).write_all(b"Fa@b\0Tc@d\0\0").unwrap();
        let code = chain.run(message.read, envelope.read).unwrap();
        let queued = std::fs::read(home.path().join("queue.queued")).unwrap_or_default();
        (code, String::from_utf8(queued).unwrap())
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn filters_change_the_message_one_after_the_other() {
        let (code, queued) = run(&[":sed s/ham/eggs/", "tr a-z A-Z"], LONG, false);
        assert_eq!((code, queued.as_str()), (0, "SUBJECT: X\n\nEGGS\n|Fa@b\0Tc@d\0\0"));
        assert_eq!(run(&[], LONG, false).1, "Subject: x\n\nham\n|Fa@b\0Tc@d\0\0");
    }

    #[test]
    fn what_is_refused_or_fails_is_not_queued() {
        let none = String::new();
        assert_eq!(run(&["cat", ":cat; exit 1", "cat"], LONG, false), (21, none.clone()));
        assert_eq!(run(&[":cat; exit 2"], LONG, false), (71, none.clone()));
        assert_eq!(run(&[":cat; kill -9 $$"], LONG, false), (71, none.clone()));
        assert_eq!(run(&[":cat; exit 2", ":cat; exit 1"], LONG, false), (71, none.clone()));
        assert_eq!(run(&[":cat; exit 1", ":cat; exit 2"], LONG, false), (21, none.clone()));
        assert_eq!(run(&["/nonexistent"], LONG, false), (71, none));
    }

    #[test]
    fn who_takes_too_long_is_killed() {
        let code = run(&[":exec sleep 20"], Duration::from_millis(50), false);
        assert_eq!(code, (71, String::new()));
    }

    #[test]
    fn a_message_disappears_only_if_that_is_allowed() {
        assert_eq!(run(&[":cat; exit 99"], LONG, false), (71, String::new()));
        assert_eq!(run(&[":cat; exit 99"], LONG, true), (0, String::new()));
    }
}
