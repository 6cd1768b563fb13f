//! How a command gives up: what it says, and with which exit code.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use qmail_core::errno;
use qmail_core::submit::Refusal;

/// Why a command did not do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It was called in a wrong way; this is the right one.
    Usage(&'static str),
    /// Trying again is useless.
    Permanent(Vec<u8>),
    /// Trying again may help.
    Temporary(Vec<u8>),
}

impl Failure {
    /// Something that the system would not do, and its reason. Never a reason to give up for good.
    pub fn system(what: impl AsRef<[u8]>, error: &io::Error) -> Self {
        Self::Temporary([what.as_ref(), b": ", errno::text(error).as_bytes()].concat())
    }

    /// The exit code.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Permanent(_) => 100,
            Self::Temporary(_) => 111,
        }
    }

    /// The line, with LF, that `program` says.
    pub fn line(&self, program: &str) -> Vec<u8> {
        let (kind, text) = match self {
            Self::Usage(usage) => ("usage", usage.as_bytes()),
            Self::Permanent(text) | Self::Temporary(text) => ("fatal", text.as_slice()),
        };
        [program.as_bytes(), b": ", kind.as_bytes(), b": ", text, b"\n"].concat()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(usage) => write!(formatter, "usage: {usage}"),
            Self::Permanent(text) | Self::Temporary(text) => {
                formatter.write_str(&String::from_utf8_lossy(text))
            }
        }
    }
}

impl std::error::Error for Failure {}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal.permanent {
            true => Self::Permanent(refusal.text),
            false => Self::Temporary(refusal.text),
        }
    }
}

/// The end of `main`: says what went wrong, and gives the exit code.
pub fn finish(program: &str, result: Result<u8, Failure>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            say(&failure.line(program));
            ExitCode::from(failure.code())
        }
    }
}

/// Writes to standard error. Who does not listen still gets the exit code.
pub fn say(bytes: &[u8]) {
    let _ = io::stderr().write_all(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_permanent_and_the_system_is_not() {
        let usage = Failure::Usage("predate child");
        assert_eq!(usage.line("predate"), b"predate: usage: predate child\n");
        assert_eq!(usage.code(), 100);
        let system = Failure::system("unable to fork", &io::ErrorKind::TimedOut.into());
        assert_eq!(system.line("predate"), b"predate: fatal: unable to fork: timed out\n");
        assert_eq!(system.code(), 111);
    }

    #[test]
    fn a_refusal_keeps_its_words_and_its_weight() {
        let refusal = Refusal { permanent: true, text: b"no (#5.0.0)".to_vec() };
        assert_eq!(Failure::from(refusal), Failure::Permanent(b"no (#5.0.0)".to_vec()));
        let refusal = Refusal { permanent: false, text: b"later".to_vec() };
        assert_eq!(Failure::from(refusal).code(), 111);
    }
}
