//! How a session of netstrings, QMTP or QMQP, ends before its time.

use crate::netstring::NetstringError;

/// Why the server goes away. Nothing of an unfinished message is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The client has gone, as every client does in the end.
    Gone,
    /// The client does not speak the protocol.
    Malformed,
    /// Something is missing on our side, or too much is asked of it.
    Resources,
}

impl Broken {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Gone => 0,
            Self::Malformed => 100,
            Self::Resources => 111,
        }
    }
}

impl From<NetstringError> for Broken {
    fn from(error: NetstringError) -> Self {
        match error {
            NetstringError::Gone => Self::Gone,
            NetstringError::Malformed => Self::Malformed,
            NetstringError::TooLarge => Self::Resources,
        }
    }
}
