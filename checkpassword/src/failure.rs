//! Why the program is not run.

/// What the caller is told by the exit code, and in no other way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// This is not the password of an account that may be used. Which of these it is that is wrong
    /// is nobody's business.
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
