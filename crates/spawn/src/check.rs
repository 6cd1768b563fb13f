//! What a spawner checks before it starts a delivery.

use std::fs::{File, OpenOptions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use qmail_sys::OPEN_NONBLOCKING;
use qmail_wire::spawn::{Command, MessageFault, Verdict};

/// Why a delivery is not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    OutOfMemory,
    NumberTooBig,
    NumberInUse,
    Message(MessageFault),
    NoHost,
    Open,
    Stat,
    WrongType,
    WrongOwner,
    Pipe,
    Fork,
}

impl Refused {
    /// The report.
    pub(crate) fn report(self) -> (Verdict, &'static str) {
        let text = match self {
            Self::OutOfMemory => "qmail-spawn out of memory. (#4.3.0)\n",
            Self::NumberTooBig => "Internal error: delnum too big. (#4.3.5)\n",
            Self::NumberInUse => "Internal error: delnum in use. (#4.3.5)\n",
            Self::Message(MessageFault::NonNumeric) => {
                "Internal error: messid has nonnumerics. (#5.3.5)\n"
            }
            Self::Message(MessageFault::TooLong) => "Internal error: messid too long. (#5.3.5)\n",
            Self::Message(MessageFault::TooShort) => "Internal error: messid too short. (#5.3.5)\n",
            Self::NoHost => "Sorry, address must include host name. (#5.1.3)\n",
            Self::Open => "qmail-spawn unable to open message. (#4.3.0)\n",
            Self::Stat => "qmail-spawn unable to fstat message. (#4.3.0)\n",
            Self::WrongType => "Sorry, message has wrong type. (#4.3.5)\n",
            Self::WrongOwner => "Sorry, message has wrong owner. (#4.3.5)\n",
            Self::Pipe => "qmail-spawn unable to create pipe. (#4.3.0)\n",
            Self::Fork => "qmail-spawn unable to fork. (#4.3.0)\n",
        };
        let permanent = matches!(self, Self::Message(_) | Self::NoHost);
        (if permanent { Verdict::Permanent } else { Verdict::Temporary }, text)
    }
}

/// Opens the message that `command` names below `directory`.
///
/// It must be `owner`'s: whoever could make us read another file would have its contents mailed.
pub(crate) fn open_message(
    command: &Command,
    directory: &Path,
    owner: u32,
) -> Result<File, Refused> {
    if let Some(fault) = command.message_fault() {
        return Err(Refused::Message(fault));
    }
    if !command.recipient.contains(&b'@') {
        return Err(Refused::NoHost);
    }
    let path = directory.join(std::ffi::OsStr::from_bytes(&command.message));
    let mut options = OpenOptions::new();
    let message = options.read(true).custom_flags(OPEN_NONBLOCKING).open(path);
    let message = message.map_err(|_| Refused::Open)?;
    let metadata = message.metadata().map_err(|_| Refused::Stat)?;
    if !metadata.is_file() {
        return Err(Refused::WrongType);
    }
    if metadata.uid() != owner {
        return Err(Refused::WrongOwner);
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn refused(directory: &Path, message: &str, recipient: &str, owner: u32) -> Option<Refused> {
        let command = Command {
            delivery: 0,
            message: message.into(),
            sender: Vec::new(),
            recipient: recipient.into(),
        };
        open_message(&command, directory, owner).err()
    }

    #[test]
    fn only_messages_of_the_queues_owner_are_delivered() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join("1/2")).unwrap();
        File::create(root.join("1/3")).unwrap();
        qmail_sys::make_fifo(&root.join("1/4"), 0o600).unwrap();
        let us = fs::metadata(root.join("1/3")).unwrap().uid();
        for (message, recipient, owner, expected) in [
            ("1/3", "a@b", us, None),
            ("1/3", "a@b", us + 1, Some(Refused::WrongOwner)),
            ("1/2", "a@b", us, Some(Refused::WrongType)),
            ("1/4", "a@b", us, Some(Refused::WrongType)),
            ("1/5", "a@b", us, Some(Refused::Open)),
            ("1/5", "a", us, Some(Refused::NoHost)),
            ("../etc", "a", us, Some(Refused::Message(MessageFault::NonNumeric))),
            ("", "a", us, Some(Refused::Message(MessageFault::TooShort))),
        ] {
            assert_eq!(refused(root, message, recipient, owner), expected, "{message} {recipient}");
        }
    }

    #[test]
    fn only_what_can_never_be_right_is_permanent() {
        for (refused, verdict, code) in [
            (Refused::WrongOwner, Verdict::Temporary, "(#4.3.5)\n"),
            (Refused::NoHost, Verdict::Permanent, "(#5.1.3)\n"),
            (Refused::Message(MessageFault::TooLong), Verdict::Permanent, "(#5.3.5)\n"),
            (Refused::Fork, Verdict::Temporary, "(#4.3.0)\n"),
        ] {
            assert_eq!(refused.report().0, verdict);
            assert!(refused.report().1.ends_with(code), "{refused:?}");
        }
    }
}
