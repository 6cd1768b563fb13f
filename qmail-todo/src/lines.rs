//! Every line that qmail-todo has qmail-send log. Log readers know them: they are the interface.

use qmail_core::log::Line;
use qmail_core::queue::QueueId;

use crate::settings::RereadError;

/// Why qmail-todo cannot start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StartFailure {
    Home,
    Controls,
    Queue,
}

/// What went wrong with a message. It stays in `todo/` for the next scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It is not there.
    Gone(String),
    Open(String),
    Stat(String),
    Unlink(String),
    Create(String),
    Write(String),
    Sync(String),
    Read(String),
    UnknownRecord(String),
    Clean(String),
}

/// What `info msg` says.
pub(crate) struct Info<'a> {
    pub id: QueueId,
    pub bytes: u64,
    pub sender: &'a [u8],
    pub process: u64,
    pub user: u64,
}

pub(crate) const STOPPING: &str = "status: qmail-todo stop processing asap";
pub(crate) const LOST_CLEAN: &str =
    "alert: qmail-todo: oh no! lost qmail-clean connection! dying...";
pub(crate) const OBSCURE: &str = "warning: qmail-todo: qmail-send speaks an obscure dialect";
pub(crate) const POLL: &str = "warning: qmail-todo: trouble in select";

pub(crate) fn cannot_start(failure: StartFailure) -> Vec<u8> {
    let why = match failure {
        StartFailure::Home => "unable to switch to home directory",
        StartFailure::Controls => "unable to read controls",
        StartFailure::Queue => "unable to switch to queue directory",
    };
    Line::new("alert: qmail-todo: cannot start: ").text(why).end()
}

pub(crate) fn cannot_reread(error: RereadError) -> Vec<u8> {
    let what = match error {
        RereadError::Home => "controls: unable to switch to home directory",
        RereadError::Locals => "control/locals",
        RereadError::VirtualDomains => "control/virtualdomains",
    };
    Line::new("alert: qmail-todo: unable to reread ").text(what).end()
}

pub(crate) fn cannot_scan(directory: &str) -> Vec<u8> {
    Line::new("alert: unable to opendir ").text(directory).text(", sleeping...").end()
}

pub(crate) fn new_message(id: QueueId) -> Vec<u8> {
    Line::new("new msg ").number(id.as_u64()).end()
}

pub(crate) fn info(info: &Info<'_>) -> Vec<u8> {
    Line::new("info msg ")
        .number(info.id.as_u64())
        .text(": bytes ")
        .number(info.bytes)
        .text(" from <")
        .safe(info.sender)
        .text("> qp ")
        .number(info.process)
        .text(" uid ")
        .number(info.user)
        .end()
}

pub(crate) fn warning(trouble: &Trouble) -> Vec<u8> {
    let (what, file) = match trouble {
        // Quirk: the only one without our name, as in ext_todo.
        Trouble::Clean(file) => {
            return Line::new("warning: qmail-clean unable to clean up ").text(file).end();
        }
        Trouble::Gone(file) | Trouble::Open(file) => ("unable to open ", file),
        Trouble::Stat(file) => ("unable to stat ", file),
        Trouble::Unlink(file) => ("unable to unlink ", file),
        Trouble::Create(file) => ("unable to create ", file),
        Trouble::Write(file) => ("trouble writing to ", file),
        Trouble::Sync(file) => ("trouble fsyncing ", file),
        Trouble::Read(file) => ("trouble reading ", file),
        Trouble::UnknownRecord(file) => ("unknown record type in ", file),
    };
    Line::new("warning: qmail-todo: ").text(what).text(file).end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_that_log_readers_know() {
        let info_line = info(&Info {
            id: QueueId::new(7),
            bytes: 99,
            sender: b"a b@c\n",
            process: 12,
            user: 1000,
        });
        for (line, expected) in [
            (info_line, "info msg 7: bytes 99 from <a_b@c/> qp 12 uid 1000"),
            (new_message(QueueId::new(7)), "new msg 7"),
            (
                cannot_start(StartFailure::Home),
                "alert: qmail-todo: cannot start: unable to switch to home directory",
            ),
            (
                cannot_reread(RereadError::Locals),
                "alert: qmail-todo: unable to reread control/locals",
            ),
            (
                cannot_reread(RereadError::Home),
                "alert: qmail-todo: unable to reread controls: \
                 unable to switch to home directory",
            ),
            (cannot_scan("todo/7"), "alert: unable to opendir todo/7, sleeping..."),
            (
                warning(&Trouble::Sync("info/1/24".into())),
                "warning: qmail-todo: trouble fsyncing info/1/24",
            ),
            (
                warning(&Trouble::Clean("todo/24".into())),
                "warning: qmail-clean unable to clean up todo/24",
            ),
        ] {
            assert_eq!(String::from_utf8(line).unwrap(), format!("{expected}\n"));
        }
    }
}
