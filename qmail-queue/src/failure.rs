//! Why nothing was queued: the exit codes, which every client of qmail-queue knows.

use std::fmt;

use qmail_core::queue::CreateError;

/// Why nothing was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// An address is longer than 1002 bytes.
    AddressTooLong,
    /// 24 hours are over.
    TimeOut,
    /// A file could not be written: the disk is full, say.
    Write,
    /// Message or envelope could not be read, or the envelope ended early.
    Read,
    /// The home directory cannot be entered.
    Home,
    /// The queue cannot be entered, or its layout is broken.
    Queue,
    /// No file in `pid/`.
    PidFile,
    /// No name in `mess/`.
    LinkMess,
    /// No file in `intd/`.
    CreateIntd,
    /// No name in `todo/`.
    LinkTodo,
    /// A bug.
    Bug,
    /// The envelope is not `F…` and `T…` records.
    EnvelopeFormat,
}

impl Failure {
    /// The exit code: see qmail-queue(8), EXIT CODES.
    pub const fn code(self) -> u8 {
        match self {
            Self::AddressTooLong => 11,
            Self::TimeOut => 52,
            Self::Write => 53,
            Self::Read => 54,
            Self::Home => 61,
            Self::Queue => 62,
            Self::PidFile => 63,
            Self::LinkMess => 64,
            Self::CreateIntd => 65,
            Self::LinkTodo => 66,
            Self::Bug => 81,
            Self::EnvelopeFormat => 91,
        }
    }
}

impl From<CreateError> for Failure {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::PidFile(_) => Self::PidFile,
            CreateError::LinkMess(_) => Self::LinkMess,
            CreateError::CreateIntd(_) => Self::CreateIntd,
            CreateError::LinkTodo(_) => Self::LinkTodo,
            CreateError::Sync(_) => Self::Write,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "qmail-queue failed with code {}", self.code())
    }
}

impl std::error::Error for Failure {}
