//! Why a message does not get into the queue.

use std::fmt;
use std::io;

use qmail_core::control::ControlError;
use qmail_policy::dkim::Refusal;

/// Why a message does not get into the queue.
#[derive(Debug)]
pub enum Trouble {
    /// It could not be read.
    Read(io::Error),
    /// A copy could not be written.
    Write(io::Error),
    /// A control file could not be read.
    Controls(ControlError),
    /// This host has no name to write results under.
    NoName,
    /// Its header is too long.
    HeaderTooLong,
    /// `$DKIMVERIFY` says so.
    Refused(Refusal),
    /// The next program could not be run.
    Run(io::Error),
}

impl Trouble {
    /// What descriptor 6 is told: `D` or `Z`, then one line. Empty where the code says it all.
    pub fn words(&self) -> String {
        match self {
            Self::Refused(Refusal { is_permanent: true, words }) => {
                format!("DDKIM: {words} (#5.7.20)")
            }
            Self::Refused(Refusal { is_permanent: false, words }) => {
                format!("ZDKIM: {words} (#4.7.20)")
            }
            Self::HeaderTooLong => "ZDKIM: header too long (#4.3.4)".to_owned(),
            Self::Read(_) | Self::Write(_) | Self::Controls(_) | Self::NoName | Self::Run(_) => {
                String::new()
            }
        }
    }

    /// The exit code, which every client of qmail-queue knows.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Refused(_) | Self::HeaderTooLong => 82,
            Self::Write(_) => 53,
            Self::Read(_) => 54,
            Self::Controls(_) | Self::NoName => 55,
            Self::Run(_) => 120,
        }
    }

    /// The exit code if nobody listens to words.
    pub const fn code_without_words(&self) -> u8 {
        match self {
            Self::Refused(Refusal { is_permanent: true, .. }) => 31,
            Self::Refused(Refusal { is_permanent: false, .. }) | Self::HeaderTooLong => 71,
            _ => self.code(),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) | Self::Write(error) | Self::Run(error) => error.fmt(formatter),
            Self::Controls(error) => error.fmt(formatter),
            Self::NoName => formatter.write_str("control/authservid and control/me are missing"),
            Self::HeaderTooLong | Self::Refused(_) => formatter.write_str(&self.words()),
        }
    }
}

impl std::error::Error for Trouble {}
