//! Everything that can go wrong, as an exit code that qmail-queue's callers know.

use std::io;

/// Why the message was not queued, or why nobody can tell whether it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// An address is longer than any can be.
    AddressTooLong,
    /// The message does not fit into memory.
    Memory,
    /// The message or its envelope cannot be read.
    Read,
    /// The control files cannot be read, or name no server.
    Controls,
    /// No line of `qmqpservers` is an address.
    NoServer,
    /// This host can make no connection.
    Socket,
    /// The home directory of qmail cannot be entered.
    Home,
    /// The last server did not answer.
    TimedOut,
    /// The last server could not be reached.
    Rejected,
    /// A server was reached, and then lost before its reply. It may have the message.
    Connection,
    /// What is on descriptor 1 is no envelope.
    Envelope,
}

impl Failure {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::AddressTooLong => 11,
            Self::Memory => 51,
            Self::Read => 54,
            Self::Controls | Self::NoServer => 55,
            Self::Socket => 56,
            Self::Home => 61,
            Self::TimedOut => 72,
            Self::Rejected => 73,
            Self::Connection => 74,
            Self::Envelope => 91,
        }
    }

    /// What an error in reading our input means.
    pub fn reading(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::OutOfMemory { Self::Memory } else { Self::Read }
    }
}
