//! Why there is no new key.

use std::fmt;
use std::io;
use std::path::PathBuf;

use qmail_core::accounts::AccountsError;
use qmail_core::errno;

/// Why there is no new key.
#[derive(Debug)]
pub enum Failure {
    /// The command line makes no sense.
    Usage,
    /// There is a key of this name.
    Exists(PathBuf),
    /// A file or directory could not be made.
    Write(PathBuf, io::Error),
    /// The account that is to own the key is not known.
    Accounts(AccountsError),
    /// The system gives no random numbers.
    Generate,
    /// The record could not be printed.
    Print(io::Error),
}

impl Failure {
    /// The exit code.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Usage => 100,
            Self::Exists(_)
            | Self::Write(..)
            | Self::Accounts(_)
            | Self::Generate
            | Self::Print(_) => 111,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage => formatter.write_str("usage: dknewkey [-en] [-b bits] selector [domain]"),
            Self::Exists(path) => {
                write!(formatter, "fatal: {} is there already", path.display())
            }
            Self::Write(path, error) => {
                let why = errno::text(error);
                write!(formatter, "fatal: unable to write {}: {why}", path.display())
            }
            Self::Accounts(error) => write!(formatter, "fatal: {error}"),
            Self::Generate => formatter.write_str("fatal: unable to get random numbers"),
            Self::Print(error) => {
                write!(formatter, "fatal: unable to print record: {}", errno::text(error))
            }
        }
    }
}

impl std::error::Error for Failure {}
