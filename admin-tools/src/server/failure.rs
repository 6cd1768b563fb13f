//! Why there is no server, or still one.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use qmail_core::accounts::AccountsError;
use qmail_core::errno;

use crate::fatal::{PERMANENT, TEMPORARY};

/// What went wrong.
#[derive(Debug)]
pub enum Failure {
    /// A file or directory is out of reach.
    Unable(&'static str, PathBuf, io::Error),
    /// The accounts are not known.
    Accounts(AccountsError),
    /// This host is called something else already.
    OtherName(String),
    /// A program is missing that nothing works without.
    NoTool(&'static str, &'static str),
    /// A program did not succeed.
    Tool(String),
    /// There is nobody to start what is to run.
    NoDirectory(&'static str),
    /// Nothing was set up, so nothing can be undone.
    NoJournal,
    /// Deliveries are under way, and somebody has to wait for them.
    StillRunning,
}

impl Failure {
    pub(super) fn unable<'p>(
        verb: &'static str,
        path: &'p Path,
    ) -> impl FnOnce(io::Error) -> Self + use<'p> {
        move |error| Self::Unable(verb, path.to_owned(), error)
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Unable(..) | Self::Accounts(_) | Self::Tool(_) | Self::StillRunning => TEMPORARY,
            Self::OtherName(_) | Self::NoTool(..) | Self::NoDirectory(_) | Self::NoJournal => {
                PERMANENT
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unable(verb, path, error) => {
                write!(formatter, "unable to {verb} {}: {}", path.display(), errno::text(error))
            }
            Self::Accounts(error @ (AccountsError::NoUser(_) | AccountsError::NoGroup(_))) => {
                write!(formatter, "{error}: install makes it")
            }
            Self::Accounts(error) => error.fmt(formatter),
            Self::OtherName(name) => write!(formatter, "control/me says {name} already"),
            Self::NoTool(name, package) => {
                write!(formatter, "there is no {name}: it is part of {package}")
            }
            Self::Tool(words) => write!(formatter, "{words} did not succeed"),
            Self::NoDirectory(kind) => {
                write!(formatter, "say where {kind} looks for services: see -d")
            }
            Self::NoJournal => formatter.write_str("nothing was set up here"),
            Self::StillRunning => {
                formatter.write_str("qmail-send finishes its deliveries: try again later")
            }
        }
    }
}

impl std::error::Error for Failure {}
