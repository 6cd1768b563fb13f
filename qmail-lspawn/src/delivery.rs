//! One delivery, in a process of its own: root until it is known whose mail it is, then he.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::os::fd::BorrowedFd;
use std::path::Path;

use qmail_core::errno;
use qmail_core::users::Assignment;
use qmail_sys::{Dropped, Gid, Identity, Spawn, Uid};

use crate::lookup;
use crate::trouble::Trouble;

/// A message, and what qmail-send says of it.
pub(crate) struct Delivery<'a> {
    /// The home directory of qmail.
    pub(crate) home: &'a Path,
    /// Who looks accounts up.
    pub(crate) lookup: Identity,
    /// qmail-local, as seen from `home`.
    pub(crate) program: &'a OsStr,
    /// The recipient before the last `@`.
    pub(crate) local: &'a [u8],
    /// The recipient behind it.
    pub(crate) domain: &'a [u8],
    pub(crate) sender: &'a [u8],
    pub(crate) default_delivery: &'a OsStr,
    pub(crate) message: BorrowedFd<'a>,
    pub(crate) report: BorrowedFd<'a>,
}

/// What the child ends with instead of becoming qmail-local.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
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
    fn code(self) -> u8 {
        match self {
            Self::Trouble(trouble) => trouble.code(),
            Self::Lookup(code) => code,
        }
    }
}

impl Delivery<'_> {
    /// Becomes qmail-local. Comes back with an exit code if that fails.
    pub(crate) fn make(self) -> u8 {
        // Quirk: nobody is at `@host`, and mail to him is gone, successfully. Pinned by
        // `an_empty_local_part_is_success` of the conformance suite.
        if self.local.is_empty() {
            return 0;
        }
        let Err(failure) = self.run();
        failure.code()
    }

    fn run(&self) -> Result<Infallible, Failure> {
        std::env::set_current_dir(self.home).map_err(|_| Trouble::Bug)?;
        let strings = lookup::find(self.local, self.lookup)?;
        let assignment = Assignment::parse(&strings).map_err(|_| Trouble::Bug)?;
        let uid = Uid::new(assignment.uid).ok_or(Trouble::Root)?;
        let identity = Identity { uid, gid: Gid(assignment.gid) };
        let dropped = identity.assume().map_err(|_| Trouble::Bug)?;
        Err(self.become_local(&assignment, &dropped).into())
    }

    /// Nothing that an address decides is run by root: it takes the proof that we no longer are.
    fn become_local(&self, assignment: &Assignment, _: &Dropped) -> Trouble {
        let program = Spawn::new(self.program)
            .arg("--")
            .arg_bytes(&assignment.user)
            .arg(&assignment.home)
            .arg_bytes(self.local)
            .arg_bytes(&assignment.dash)
            .arg_bytes(&assignment.extension)
            .arg_bytes(self.domain)
            .arg_bytes(self.sender)
            .arg(self.default_delivery)
            .connect(0, self.message)
            .connect(1, self.report)
            .connect(2, self.report);
        let Err(error) = program.replace();
        if errno::is_temporary(&error) { Trouble::RunLater } else { Trouble::RunNever }
    }
}
