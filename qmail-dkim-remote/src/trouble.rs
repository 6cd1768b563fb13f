//! Why a message cannot go on now. It always may, later: a message is never bounced over its
//! signature.

use std::fmt;
use std::io;

use qmail_core::control::ControlError;
use qmail_policy::dkim::{SignError, StoreError};

/// Why a message cannot go on now.
#[derive(Debug)]
pub enum Trouble {
    /// The message could not be read.
    Read(io::Error),
    /// The signed copy could not be written.
    Write(io::Error),
    /// A control file could not be read.
    Controls(ControlError),
    /// There are keys, but they cannot be used.
    Keys(StoreError),
    /// A key would not sign.
    Sign(SignError),
    /// The next program is this one.
    Loop,
    /// The next program could not be run.
    Run(io::Error),
}

impl Trouble {
    /// The report for qmail-rspawn; `None` where it has words of its own.
    pub fn report(&self) -> Option<Vec<u8>> {
        let words = match self {
            Self::Read(_) => "Unable to read message. (#4.3.0)".to_owned(),
            Self::Write(_) => "Unable to write signed copy of message. (#4.3.0)".to_owned(),
            Self::Controls(_) => "Unable to read control files. (#4.3.0)".to_owned(),
            Self::Keys(error) => format!("Unable to use DKIM key {error}. (#4.3.5)"),
            Self::Sign(_) => "Unable to sign message. (#4.3.0)".to_owned(),
            Self::Loop => {
                "qmail-dkim-remote was to run itself as qmail-remote. (#4.3.5)".to_owned()
            }
            Self::Run(_) => return None,
        };
        // What a path has in it must not look like the end of a record.
        let words = words.replace('\0', "?");
        Some(format!("Z{words}\n\0").into_bytes())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) | Self::Write(error) | Self::Run(error) => error.fmt(formatter),
            Self::Controls(error) => error.fmt(formatter),
            Self::Keys(error) => error.fmt(formatter),
            Self::Sign(error) => error.fmt(formatter),
            Self::Loop => formatter.write_str("the next program is this one"),
        }
    }
}

impl std::error::Error for Trouble {}

impl From<ControlError> for Trouble {
    fn from(error: ControlError) -> Self {
        Self::Controls(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Keys(error)
    }
}
