//! Why a tree is not complete.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use qmail_core::accounts::AccountsError;

/// Why a tree could not be made, or not be checked.
#[derive(Debug)]
pub enum Failure {
    /// Something could not be done to a path: the verb, the path, the error.
    Unable(&'static str, PathBuf, io::Error),
    /// What is there is of another kind, or not only there.
    Unexpected(PathBuf, &'static str),
    /// No directory with programs has this one.
    NoProgram(String),
    /// An account or group could neither be found nor be made.
    Accounts(AccountsError),
    /// A command that makes accounts did not do so.
    Command(String),
    /// A set-id program does not do what it should for this account, and for no other.
    Unprotected(PathBuf, &'static str),
    /// `install/conf-split` is not a number of directories.
    ConfSplit,
}

impl Failure {
    /// Something could not be done to `path`.
    pub(crate) fn unable(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Unable(verb, path, error)
    }
}

impl From<AccountsError> for Failure {
    fn from(error: AccountsError) -> Self {
        Self::Accounts(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unable(verb, path, error) => {
                let reason = qmail_core::errno::text(error);
                write!(formatter, "unable to {verb} {}: {reason}", path.display())
            }
            Self::Unexpected(path, what) => write!(formatter, "{} {what}", path.display()),
            Self::NoProgram(name) => write!(formatter, "there is no {name}: build it first"),
            Self::Accounts(error @ (AccountsError::NoUser(_) | AccountsError::NoGroup(_))) => {
                write!(formatter, "{error}: install makes it")
            }
            Self::Accounts(error) => error.fmt(formatter),
            Self::Command(command) => write!(formatter, "this failed: {command}"),
            Self::Unprotected(path, account) => {
                write!(formatter, "{} is not as it should be for {account}", path.display())
            }
            Self::ConfSplit => formatter.write_str("conf-split is not a number from 1 to 1000"),
        }
    }
}

impl std::error::Error for Failure {}
