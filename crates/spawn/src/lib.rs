//! The loop that qmail-lspawn and qmail-rspawn share: commands in, deliveries started, reports out.
//!
//! What differs between the two is a [`Kind`]: what is started, and what its end means.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod check;
mod deliveries;
mod delivery;
mod limit;
mod spawner;

use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use qmail_sys::Exit;
use qmail_wire::spawn::{Command, DeliveryNumber, Verdict};

pub use limit::limit;
pub use qmail_forkserver::{Started, Workers};
pub use spawner::{Descriptors, Spawner};

/// A delivery that is to be made.
#[derive(Debug)]
pub struct Order {
    /// What qmail-send says of it. The recipient has an `@`.
    pub command: Command,
    /// The message: to be its descriptor 0.
    pub message: File,
    /// Where it reports: to be its descriptors 1 and 2, and nobody else's.
    pub report: OwnedFd,
}

/// How a delivery has begun.
#[derive(Debug)]
pub enum Begun {
    /// It runs.
    Running(Started),
    /// Something has to be found out first.
    Later,
    /// It is over, as if it had ended with this code.
    Over(u8),
}

/// What a spawner starts.
pub trait Kind {
    /// How it understands what a delivery says.
    type Output: Output;

    /// Begins a delivery.
    ///
    /// # Errors
    /// If there is no process to be had.
    fn start(&mut self, order: Order, workers: &mut Workers) -> io::Result<Begun>;

    /// What those are waiting for that begin later.
    fn waits_for(&self) -> Vec<(DeliveryNumber, BorrowedFd<'_>)> {
        Vec::new()
    }

    /// What a delivery waits for is ready: how it begins, and others that have waited for the same.
    /// An error means that there is no process to be had.
    fn go_on(
        &mut self,
        _delivery: DeliveryNumber,
        _workers: &mut Workers,
    ) -> Vec<(DeliveryNumber, io::Result<Begun>)> {
        Vec::new()
    }

    /// A process has ended that is no delivery: which delivery goes on after it.
    fn ended(&mut self, _process: u32, _exit: Exit) -> Option<DeliveryNumber> {
        None
    }
}

/// What a delivery says, which may be anything of any length: it has to be kept in bounded memory.
pub trait Output: Default {
    /// Takes what it says next.
    fn push(&mut self, bytes: &[u8]);

    /// What became of the delivery that ended in this way, and the text that goes with it.
    fn judge(self, exit: Exit) -> (Verdict, Vec<u8>);
}
