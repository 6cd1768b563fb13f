//! How a connection ends before a message was taken.

use qmail_wire::netstring::NetstringError;

/// Why the server goes away without a reply. Nothing is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The client has gone.
    Gone,
    /// The client does not speak QMQP.
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
