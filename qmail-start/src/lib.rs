//! Opens the pipes between qmail's daemons, starts them, and becomes qmail-send.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod cast;
mod pipes;
mod request;
mod trust;

use std::convert::Infallible;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use qmail_core::accounts::{Accounts, AccountsError};
use qmail_sys::Spawn;

use crate::cast::Cast;
use crate::pipes::{Dialogue, Pipes};

pub use crate::request::Request;
pub use crate::trust::trusted;

/// The highest descriptor that means something to one of the daemons.
const HIGHEST: u8 = 8;

/// Why nothing runs. Nobody is told, as it always was: the exit code has to do.
#[derive(Debug)]
pub enum Failure {
    /// A system call failed.
    System(io::Error),
    /// The accounts are not known.
    Accounts(AccountsError),
    /// An account that must not be root is.
    Root,
    /// We are neither root nor the one user of a single-user tree.
    NotPermitted,
    /// We are root, and somebody else wrote the file with the accounts.
    ForeignIds,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl From<AccountsError> for Failure {
    fn from(error: AccountsError) -> Self {
        Self::Accounts(error)
    }
}

/// Starts everybody else and becomes qmail-send; comes back only if that fails.
///
/// `output` is where the log goes, or what the logger writes to. The daemons that were started
/// before a failure see the end of their input, and end.
///
/// # Errors
/// See [`Failure`].
pub fn start(
    request: &Request,
    accounts: &Accounts,
    output: OwnedFd,
) -> Result<Infallible, Failure> {
    let cast = Cast::of(accounts, qmail_sys::effective_uid())?;
    let pipes = Pipes::open(request.logger.is_some())?;
    let mut log = output.as_fd();
    if let (Some(logger), Some(pipe)) = (&request.logger, &pipes.log) {
        let spawn = Spawn::search(&logger.program).args(&logger.arguments).as_user(cast.log);
        let spawn = spawn.connect(0, pipe.read.as_fd()).connect(1, output.as_fd());
        let _ = closed_from(2, spawn).start()?;
        log = pipe.write.as_fd();
    }
    let lspawn = Spawn::search("qmail-lspawn").arg(&request.default_delivery);
    let _ = closed_from(2, serving(&pipes.lspawn, lspawn.with_group(cast.group))).start()?;
    let rspawn = Spawn::search("qmail-rspawn").as_user(cast.remote);
    let _ = closed_from(2, serving(&pipes.rspawn, rspawn)).start()?;
    let clean = Spawn::search("qmail-clean").as_user(cast.queue);
    let _ = closed_from(2, serving(&pipes.clean, clean)).start()?;
    let todo = serving(&pipes.todo, Spawn::search("qmail-todo").as_user(cast.send));
    let _ = closed_from(4, asking(2, &pipes.todo_clean, todo)).start()?;
    let clean = Spawn::search("qmail-clean").as_user(cast.queue);
    let _ = closed_from(2, serving(&pipes.todo_clean, clean)).start()?;

    let send = Spawn::search("qmail-send").as_user(cast.send).connect(0, log);
    let send = asking(3, &pipes.rspawn, asking(1, &pipes.lspawn, send));
    let send = asking(7, &pipes.todo, asking(5, &pipes.clean, send));
    Ok(send.replace()?)
}

/// The side that is told what to do on 0, and answers on 1.
fn serving<'fd>(dialogue: &'fd Dialogue, spawn: Spawn<'fd>) -> Spawn<'fd> {
    spawn.connect(0, dialogue.there.read.as_fd()).connect(1, dialogue.back.write.as_fd())
}

/// The side that tells on `first`, and reads answers on the next descriptor.
fn asking<'fd>(first: u8, dialogue: &'fd Dialogue, spawn: Spawn<'fd>) -> Spawn<'fd> {
    let (there, back) = (dialogue.there.write.as_fd(), dialogue.back.read.as_fd());
    spawn.connect(first, there).connect(first.saturating_add(1), back)
}

/// Whatever we were started with, a daemon has none of the descriptors that mean something to
/// another one.
fn closed_from(first: u8, spawn: Spawn<'_>) -> Spawn<'_> {
    (first..=HIGHEST).fold(spawn, Spawn::close)
}
