//! Every line that qmail-send logs. Log readers know them: they are the interface.

use qmail_core::log::Line;
use qmail_core::queue::{Channel, QueueId};

use crate::channels::PerChannel;
use crate::schedule::Load;
use crate::verdict::Outcome;

/// Why qmail-send cannot start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StartFailure {
    Home,
    Controls,
    Queue,
    /// A directory of recipients whom nobody would deliver to.
    ForeignChannel(String),
    Mutex,
    AlreadyRunning,
    Spawners,
    /// A qmail-start that does not start qmail-todo.
    NoTodo,
}

/// What went wrong with a file; `Retry` says so in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    StatRetry,
    Stat,
    UnlinkRetry,
    Unlink,
    Open,
    Read,
    UnknownRecord,
    Mark,
    Clean,
    Time,
}

pub(crate) const EXITING: &str = "status: exiting";
pub(crate) const LOST_SPAWNER: &str = "alert: oh no! lost spawn connection! dying...";
pub(crate) const LOST_CLEAN: &str = "alert: oh no! lost qmail-clean connection! dying...";
pub(crate) const LOST_TODO: &str = "alert: oh no! lost qmail-todo connection! dying...";
pub(crate) const CANNOT_APPEND: &str =
    "alert: unable to append to bounce message; HELP! sleeping...";
pub(crate) const REREAD_HOME: &str =
    "alert: unable to reread controls: unable to switch to home directory";
pub(crate) const REREAD_LOCALS: &str = "alert: unable to reread control/locals";
pub(crate) const REREAD_DOMAINS: &str = "alert: unable to reread control/virtualdomains";
pub(crate) const REREAD_LOCAL: &str = "alert: unable to reread control/concurrencylocal";
pub(crate) const REREAD_REMOTE: &str = "alert: unable to reread control/concurrencyremote";
pub(crate) const OUT_OF_RANGE: &str = "warning: internal error: delivery report out of range";
pub(crate) const NO_QUEUE_PROGRAM: &str = "warning: unable to start qmail-queue, will try later";
pub(crate) const BOUNCE_REFUSED: &str = "warning: trouble injecting bounce message, will try later";
pub(crate) const TODO_UNKNOWN: &str = "warning: qmail-send unable to understand qmail-todo";
pub(crate) const TODO_MANGLED: &str =
    "warning: qmail-send unable to understand qmail-todo: report mangled";
pub(crate) const POLL: &str = "warning: trouble in select";

pub(crate) fn text(text: &str) -> Vec<u8> {
    Line::new(text).end()
}

pub(crate) fn cannot_start(failure: &StartFailure) -> Vec<u8> {
    let line = Line::new("alert: cannot start: ");
    match failure {
        StartFailure::Home => line.text("unable to switch to home directory"),
        StartFailure::Controls => line.text("unable to read controls"),
        StartFailure::Queue => line.text("unable to switch to queue directory"),
        StartFailure::ForeignChannel(directory) => line
            .text("recipients in queue/")
            .text(directory)
            .text(" are for a qmail with more channels"),
        StartFailure::Mutex => line.text("unable to open mutex"),
        StartFailure::AlreadyRunning => line.text("qmail-send is already running"),
        StartFailure::Spawners => line.text("hath the daemon spawn no fire?"),
        StartFailure::NoTodo => line.text("qmail-start has not started qmail-todo"),
    }
    .end()
}

pub(crate) fn status(load: &PerChannel<Load>, stopping: bool) -> Vec<u8> {
    let part = |line: Line, channel: Channel| {
        let load = load.of(channel);
        line.text(" ")
            .text(channel.name())
            .text(" ")
            .number(u64::try_from(load.used).unwrap_or(u64::MAX))
            .text("/")
            .number(u64::try_from(load.limit).unwrap_or(u64::MAX))
    };
    let line = Channel::ALL.into_iter().fold(Line::new("status:"), part);
    if stopping { line.text(" exitasap") } else { line }.end()
}

pub(crate) fn starting(number: u64, id: QueueId, channel: Channel, recipient: &[u8]) -> Vec<u8> {
    Line::new("starting delivery ")
        .number(number)
        .text(": msg ")
        .number(id.as_u64())
        .text(" to ")
        .text(channel.name())
        .text(" ")
        .safe(recipient)
        .end()
}

pub(crate) fn outcome(number: u64, outcome: &Outcome) -> Vec<u8> {
    let line = Line::new("delivery ").number(number);
    match outcome {
        Outcome::Success(text) => line.text(": success: ").safe(text),
        Outcome::Deferral(text) => line.text(": deferral: ").safe(text),
        Outcome::Failure(text) => line.text(": failure: ").safe(text),
        Outcome::Unknown => line.text(": report mangled, will defer"),
    }
    .end()
}

pub(crate) fn bounced(id: QueueId, process: u32) -> Vec<u8> {
    let line = Line::new("bounce msg ").number(id.as_u64());
    line.text(" qp ").number(process.into()).end()
}

pub(crate) fn discarded(which: &str, bounce: &str) -> Vec<u8> {
    Line::new(which).text(" bounce: discarding ").text(bounce).end()
}

pub(crate) fn ended(id: QueueId) -> Vec<u8> {
    Line::new("end msg ").number(id.as_u64()).end()
}

pub(crate) fn cannot_scan(directory: &str) -> Vec<u8> {
    Line::new("alert: unable to opendir ").text(directory).text(", sleeping...").end()
}

pub(crate) fn warning(trouble: Trouble, file: &str) -> Vec<u8> {
    let (before, after) = match trouble {
        Trouble::StatRetry => ("unable to stat ", "; will try again later"),
        Trouble::Stat => ("unable to stat ", ""),
        Trouble::UnlinkRetry => ("unable to unlink ", "; will try again later"),
        Trouble::Unlink => ("unable to unlink ", ""),
        Trouble::Open => ("trouble opening ", "; will try again later"),
        Trouble::Read => ("trouble reading ", "; will try again later"),
        Trouble::UnknownRecord => ("unknown record type in ", "!"),
        Trouble::Mark => ("trouble marking ", "; message will be delivered twice!"),
        Trouble::Clean => ("qmail-clean unable to clean up ", ""),
        Trouble::Time => ("unable to utime ", "; message will be retried too soon"),
    };
    Line::new("warning: ").text(before).text(file).text(after).end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: Vec<u8>, expected: &str) {
        assert_eq!(String::from_utf8(line).unwrap(), format!("{expected}\n"));
    }

    #[test]
    fn deliveries_are_logged_as_log_readers_know_them() {
        let id = QueueId::new(42);
        let load =
            PerChannel { local: Load { used: 1, limit: 10 }, remote: Load { used: 0, limit: 20 } };
        check(status(&load, false), "status: local 1/10 remote 0/20");
        check(status(&load, true), "status: local 1/10 remote 0/20 exitasap");
        let line = starting(3, id, Channel::Remote, b"joe user@far.example");
        check(line, "starting delivery 3: msg 42 to remote joe_user@far.example");
        let success = Outcome::Success(b"did 1+0+0\n".to_vec());
        check(outcome(3, &success), "delivery 3: success: did_1+0+0/");
        check(outcome(4, &Outcome::Deferral(b"%".to_vec())), "delivery 4: deferral: _");
        check(outcome(5, &Outcome::Failure(vec![])), "delivery 5: failure: ");
        check(outcome(6, &Outcome::Unknown), "delivery 6: report mangled, will defer");
        check(bounced(id, 7), "bounce msg 42 qp 7");
        check(discarded("triple", "bounce/42"), "triple bounce: discarding bounce/42");
        check(ended(id), "end msg 42");
    }

    #[test]
    fn warnings_name_the_file() {
        for (trouble, expected) in [
            (Trouble::StatRetry, "unable to stat F; will try again later"),
            (Trouble::Stat, "unable to stat F"),
            (Trouble::UnlinkRetry, "unable to unlink F; will try again later"),
            (Trouble::Unlink, "unable to unlink F"),
            (Trouble::Open, "trouble opening F; will try again later"),
            (Trouble::Read, "trouble reading F; will try again later"),
            (Trouble::UnknownRecord, "unknown record type in F!"),
            (Trouble::Mark, "trouble marking F; message will be delivered twice!"),
            (Trouble::Clean, "qmail-clean unable to clean up F"),
            (Trouble::Time, "unable to utime F; message will be retried too soon"),
        ] {
            check(warning(trouble, "F"), &format!("warning: {expected}"));
        }
    }

    #[test]
    fn a_failed_start_is_an_alert() {
        for (failure, expected) in [
            (StartFailure::Home, "unable to switch to home directory"),
            (StartFailure::Controls, "unable to read controls"),
            (StartFailure::Queue, "unable to switch to queue directory"),
            (StartFailure::Mutex, "unable to open mutex"),
            (StartFailure::AlreadyRunning, "qmail-send is already running"),
            (StartFailure::Spawners, "hath the daemon spawn no fire?"),
            (StartFailure::NoTodo, "qmail-start has not started qmail-todo"),
        ] {
            check(cannot_start(&failure), &format!("alert: cannot start: {expected}"));
        }
    }
}
