//! What can keep qmail-local from running. Whoever finds it tells by an exit code, be it the child's or
//! one that a child would have had, and a report is made of that.

use qmail_wire::spawn::Verdict;

/// Why qmail-local was not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No assignment, or none that can be carried out.
    Bug,
    /// The address is root's.
    Root,
    /// It could not be told who owns a home directory.
    HomeServer,
    /// There is no account for the addresses that belong to nobody.
    NoAlias,
    /// `users/cdb` is damaged or cannot be read.
    Database,
    /// The system has run out of something.
    System,
    /// There is no memory left.
    Memory,
    /// qmail-local could not be run now.
    RunLater,
    /// qmail-getpw could not be run.
    RunLookup,
    /// There is no qmail-local that could be run.
    RunNever,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Bug,
        Self::Root,
        Self::HomeServer,
        Self::NoAlias,
        Self::Database,
        Self::System,
        Self::Memory,
        Self::RunLater,
        Self::RunLookup,
        Self::RunNever,
    ];

    /// The exit code. qmail-getpw knows some of them, too.
    pub const fn code(self) -> u8 {
        match self {
            Self::Bug => 112,
            Self::Root => 113,
            Self::HomeServer => 115,
            Self::NoAlias => 116,
            Self::Database => 117,
            Self::System => 118,
            Self::Memory => 119,
            Self::RunLater => 120,
            Self::RunLookup => 121,
            Self::RunNever => 126,
        }
    }

    /// The trouble that a code means, if it means any.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|trouble| trouble.code() == code)
    }

    /// The report.
    pub const fn report(self) -> (Verdict, &'static str) {
        use Verdict::{Permanent, Temporary};
        match self {
            Self::Bug => (Temporary, "Internal qmail-lspawn bug.\n"),
            Self::Root => (Temporary, "Not allowed to perform deliveries as root.\n"),
            Self::HomeServer => (Temporary, "NFS failure in qmail-local.\n"),
            Self::NoAlias => (Temporary, "Unable to find alias user!\n"),
            Self::Database => (Temporary, "Trouble reading users/cdb in qmail-lspawn.\n"),
            Self::System => (Temporary, "Temporary failure in qmail-lspawn.\n"),
            Self::Memory => (Temporary, "Out of memory in qmail-lspawn.\n"),
            Self::RunLater => (Temporary, "Unable to run qmail-local.\n"),
            Self::RunLookup => (Temporary, "Unable to run qmail-getpw.\n"),
            Self::RunNever => (Permanent, "Unable to run qmail-local.\n"),
        }
    }
}

/// What a delivery ends with that never began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// We found it.
    Trouble(Trouble),
    /// qmail-getpw did, and its code is the delivery's.
    Lookup(u8),
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl Failure {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Trouble(trouble) => trouble.code(),
            Self::Lookup(code) => code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_is_known_by_its_code() {
        for trouble in Trouble::ALL {
            assert_eq!(Trouble::from_code(trouble.code()), Some(trouble));
        }
        for code in [0, 1, 99, 100, 101, 111, 114, 122, 255] {
            assert_eq!(Trouble::from_code(code), None, "{code}");
        }
    }

    #[test]
    fn only_a_qmail_local_that_is_missing_is_for_good() {
        let permanent: Vec<Trouble> = Trouble::ALL
            .into_iter()
            .filter(|trouble| trouble.report().0 == Verdict::Permanent)
            .collect();
        assert_eq!(permanent, [Trouble::RunNever]);
    }
}
