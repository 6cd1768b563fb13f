//! Why there is no answer, and whether that is for good.

use std::fmt;

/// Why a question has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The name does not exist, or could not exist: too long, or with an empty label.
    NoSuchName,
    /// The name exists, but has no record of this type.
    NoSuchRecord,
    /// Nobody could tell. Asking later may help.
    Temporary(Cause),
}

/// What went wrong with the last server that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It did not answer in time.
    TimedOut,
    /// It could not be reached, or hung up.
    Unreachable,
    /// It said that it could not or would not answer, with this code.
    Refused(u16),
    /// It pointed at other servers instead of asking them.
    Lame,
    /// Its answer made no sense.
    Malformed,
}

impl Failure {
    /// Whether asking again is no use: only then may mail bounce.
    pub fn is_hard(self) -> bool {
        match self {
            Self::NoSuchName | Self::NoSuchRecord => true,
            Self::Temporary(_) => false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchName => formatter.write_str("no such name"),
            Self::NoSuchRecord => formatter.write_str("no such record"),
            Self::Temporary(cause) => cause.fmt(formatter),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => formatter.write_str("name server timed out"),
            Self::Unreachable => formatter.write_str("name server unreachable"),
            Self::Refused(code) => write!(formatter, "name server answered with code {code}"),
            Self::Lame => formatter.write_str("name server does not know, and does not ask"),
            Self::Malformed => formatter.write_str("name server sent a malformed answer"),
        }
    }
}

impl std::error::Error for Failure {}
