//! Why it could not be told whose an address is.

use std::fmt;

/// Why it could not be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No address was given.
    Usage,
    /// It is not known at present who owns a home directory.
    HomeServer,
    /// There is no account for the addresses that belong to nobody.
    NoAlias,
    /// The system, or a name service, does not answer.
    System,
}

impl Failure {
    /// The exit code: qmail-lspawn passes it on as its own.
    pub const fn code(self) -> u8 {
        match self {
            Self::Usage => 100,
            Self::HomeServer => 115,
            Self::NoAlias => 116,
            Self::System => 118,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Usage => "no address given",
            Self::HomeServer => "unable to look at a home directory",
            Self::NoAlias => "unable to find the alias user",
            Self::System => "unable to look accounts up",
        })
    }
}

impl std::error::Error for Failure {}
