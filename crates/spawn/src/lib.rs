//! The loop that qmail-lspawn and qmail-rspawn share: commands in, deliveries started, reports out.
//!
//! What differs between the two is a [`Kind`]: what is started, and what its end means.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod delivery;
mod order;
mod spawner;

use std::io;
use std::os::fd::BorrowedFd;

use qmail_sys::{Child, Exit};
use qmail_wire::spawn::{Command, Verdict};

pub use spawner::{Descriptors, Spawner};

/// What a spawner starts.
pub trait Kind {
    /// How it understands what a delivery says.
    type Output: Output;

    /// Starts a delivery, whose recipient has an `@`: its descriptor 0 is to be `message`, 1 and 2
    /// are to be `report`.
    ///
    /// # Errors
    /// If there is no process to be had.
    fn start(
        &self,
        command: &Command,
        message: BorrowedFd<'_>,
        report: BorrowedFd<'_>,
    ) -> io::Result<Child>;
}

/// What a delivery says, which may be anything of any length: it has to be kept in bounded memory.
pub trait Output: Default {
    /// Takes what it says next.
    fn push(&mut self, bytes: &[u8]);

    /// What became of the delivery that ended in this way, and the text that goes with it.
    fn judge(self, exit: Exit) -> (Verdict, Vec<u8>);
}
