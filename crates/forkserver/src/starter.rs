//! Starting a program that can stay, without an exec for each job.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;

use qmail_core::keeper::Keeper;
use qmail_sys::{Child, Spawn};
use qmail_wire::fork_server::{FORK_SERVER, Job};

use crate::question::{Answer, ask};

/// Starts one program again and again. Another one that takes its place counts at once.
#[derive(Debug)]
pub struct Starter {
    keeper: Keeper,
}

impl Default for Starter {
    fn default() -> Self {
        Self::new()
    }
}

impl Starter {
    /// A starter that has started nothing.
    pub fn new() -> Self {
        Self { keeper: Keeper::new(FORK_SERVER) }
    }

    /// Has a copy of the program do what it would do: a child as of [`Spawn::start`]. `None` if the
    /// program has to be started.
    ///
    /// # Errors
    /// If there is no process to be had, or the program that stayed has gone while it was asked.
    pub fn copy(&mut self, spawn: &Spawn<'_>) -> Option<io::Result<Child>> {
        self.look_at(spawn);
        let (job, descriptors) = job(spawn).filter(|_| self.can_stay())?;
        self.ask(spawn, &job.encode()?, &descriptors)
    }

    pub(crate) fn can_stay(&self) -> bool {
        self.keeper.can_stay()
    }

    /// Has a copy made for this job; `None` if there is nobody who could.
    pub(crate) fn ask(
        &mut self,
        spawn: &Spawn<'_>,
        job: &[u8],
        descriptors: &[BorrowedFd<'_>],
    ) -> Option<io::Result<Child>> {
        let name = || Some(spawn.parts()?.arguments.first()?.clone());
        // One that has gone since is not to be seen before it is spoken to.
        for _ in 0..2 {
            match ask(self.keeper.socket(name)?, job, descriptors) {
                Answer::Begun(child) => return Some(Ok(child)),
                Answer::Unheard => self.keeper.let_go(),
                Answer::Never => {
                    self.keeper.give_up();
                    return None;
                }
                Answer::Failed(error) => {
                    self.keeper.let_go();
                    return Some(Err(error));
                }
            }
        }
        None
    }

    /// A copy has ended, killed by a signal or not.
    ///
    /// All copies have the same addresses. Whoever makes one of them crash must not learn from that
    /// where things are in the next one: that is a copy of another process.
    pub fn ended(&mut self, was_killed: bool) {
        if was_killed {
            self.keeper.let_go();
        }
    }

    /// Finds out whether the program is still the same. Returns whether it is another one.
    pub(crate) fn look_at(&mut self, spawn: &Spawn<'_>) -> bool {
        self.keeper.look_at(spawn.files())
    }
}

/// What a copy has to be told; `None` if only a new program can do it.
pub(crate) fn job<'fd>(spawn: &Spawn<'fd>) -> Option<(Job, Vec<BorrowedFd<'fd>>)> {
    let parts = spawn.parts()?;
    let (targets, descriptors) = parts.descriptors.into_iter().unzip();
    let bytes = |string: &OsStr| string.as_bytes().to_vec();
    let change =
        |(name, value): &(OsString, Option<OsString>)| (bytes(name), value.as_deref().map(bytes));
    let job = Job {
        setup_code: parts.codes.setup,
        directory_code: parts.codes.directory,
        identity: parts.identity.map(|identity| (identity.uid.as_raw(), identity.gid.0)),
        targets,
        directory: parts.directory.map(bytes),
        arguments: parts.arguments.iter().map(|argument| bytes(argument)).collect(),
        environment: parts.environment.iter().map(change).collect(),
        stays: false,
    };
    Some((job, descriptors))
}
