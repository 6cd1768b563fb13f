//! What a program finds itself in: its descriptors, its directory, who it is.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};

use super::prepared::c_string;
use super::{FailureCodes, Spawn};
use crate::identity::change_group;
use crate::{Gid, Identity, fd};

/// Ready to take effect: nothing is allocated from here on.
pub(super) struct Setting {
    descriptors: Vec<(RawFd, Option<RawFd>)>,
    _lifted: Vec<OwnedFd>,
    directory: Option<CString>,
    identity: Option<Identity>,
    group: Option<Gid>,
    codes: FailureCodes,
}

impl Setting {
    pub(super) fn of(spawn: &Spawn<'_>) -> io::Result<Self> {
        // Above every target, so that no dup2 overwrites what a later one needs, and none is onto
        // itself, which would keep close-on-exec.
        let floor = spawn.descriptors.iter().map(|(target, _)| *target).max().unwrap_or(-1);
        let mut lifted = Vec::new();
        let mut descriptors = Vec::new();
        for (target, source) in &spawn.descriptors {
            let source = match source {
                None => None,
                Some(source) if source.as_raw_fd() > floor => Some(source.as_raw_fd()),
                Some(source) => {
                    let copy = fd::lift(*source, floor)?;
                    let raw = copy.as_raw_fd();
                    lifted.push(copy);
                    Some(raw)
                }
            };
            descriptors.push((*target, source));
        }
        Ok(Self {
            descriptors,
            _lifted: lifted,
            directory: spawn.directory.clone().map(c_string).transpose()?,
            identity: spawn.identity,
            group: spawn.group,
            codes: spawn.codes,
        })
    }

    /// Makes all of it true, with async-signal-safe calls only; on failure, the exit code that says
    /// why, and the errno.
    pub(super) fn take_effect(&self) -> Result<(), (u8, i32)> {
        // Before the user: to get there may take more rights than he has.
        if let Some(directory) = &self.directory {
            // SAFETY: chdir reads a string that ends in NUL and that we own.
            if unsafe { libc::chdir(directory.as_ptr()) } == -1 {
                return Err((self.codes.directory, Errno::last_raw()));
            }
        }
        self.set_up().map_err(|errno| (self.codes.setup, errno))
    }

    fn set_up(&self) -> Result<(), i32> {
        for (target, source) in &self.descriptors {
            let result = match source {
                // SAFETY: dup2 takes two numbers and touches no memory.
                Some(source) => unsafe { libc::dup2(*source, *target) },
                // SAFETY: close takes a number; the child needs nothing that had it.
                None => unsafe { libc::close(*target) },
            };
            if result == -1 && source.is_some() {
                return Err(Errno::last_raw());
            }
        }
        let nothing = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&nothing), None).map_err(|errno| errno as i32)?;
        let errno = self.group.map_or(0, change_group);
        let errno = if errno == 0 { self.identity.map_or(0, Identity::change) } else { errno };
        if errno == 0 { Ok(()) } else { Err(errno) }
    }
}
