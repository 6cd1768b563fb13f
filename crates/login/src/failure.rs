//! Why the program is not run.

/// What the caller is told by the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Not a password that belongs to this name.
    Rejected,
    /// No program to run, or nothing on descriptor 3 that we understand.
    Misused,
    /// Something else went wrong: the password may be right.
    Temporary,
    /// The file with passwords is not as well protected as it has to be.
    Exposed,
}

impl Failure {
    /// The exit code: see checkpassword(8).
    pub const fn code(self) -> u8 {
        match self {
            Self::Rejected => 1,
            Self::Misused => 2,
            Self::Temporary | Self::Exposed => 111,
        }
    }
}
