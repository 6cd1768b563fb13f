//! Why a server cannot speak TLS.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use qmail_core::errno;

/// A file that a server needs and cannot use.
#[derive(Debug)]
pub struct ServerError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a file.
#[derive(Debug)]
pub enum Problem {
    /// It cannot be read.
    Read(io::Error),
    /// It has no private key.
    NoKey,
    /// It has no certificate.
    NoCertificate,
    /// It has no list of revoked certificates.
    NoList,
    /// It has a private key, and everybody may read that.
    Exposed,
    /// Its certificate does not count now.
    Expired,
    /// What is in it does not go together, or is of a kind that we do not know.
    Unusable(rustls::Error),
    /// Certificates of clients cannot be checked by what is in it.
    NoCheck(rustls::server::VerifierBuilderError),
}

impl ServerError {
    pub(super) fn new(path: &Path, problem: impl Into<Problem>) -> Self {
        Self { path: path.to_owned(), problem: problem.into() }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl From<rustls::Error> for Problem {
    fn from(error: rustls::Error) -> Self {
        Self::Unusable(error)
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "unable to use {}: {}", self.path.display(), self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Read(error) => errno::text(error),
            Self::Unusable(rustls::Error::InconsistentKeys(_)) => {
                "private key does not belong to certificate"
            }
            Self::Unusable(error) => return write!(formatter, "{error}"),
            Self::NoCheck(error) => return write!(formatter, "{error}"),
            Self::NoKey => "no private key found",
            Self::NoCertificate => "no certificate found",
            Self::NoList => "no crl found",
            Self::Exposed => "private key is readable by everybody",
            Self::Expired => "certificate is not valid now",
        };
        formatter.write_str(text)
    }
}

impl std::error::Error for ServerError {}
