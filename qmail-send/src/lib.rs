//! qmail-send decides when each recipient is tried, has the spawners deliver, and tells senders of
//! failures.
//!
//! What decides does no I/O and reads no clock: [`schedule`], `verdict`, `bounce`. Around it
//! `daemon` is one loop that waits for pipes, signals and the next time at which something is due.
//!
//! [`schedule`] is public so that it can be measured and simulated: see `benches/`.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod bounce;
pub mod channels;
mod cleaner;
mod daemon;
mod files;
mod half_done;
mod limits;
mod lines;
mod room;
pub mod schedule;
mod settings;
mod spawner;
mod start;
mod survey;
mod sweep;
#[cfg(test)]
mod testing;
mod todo;
mod verdict;

use std::fs::File;
use std::os::fd::OwnedFd;

/// The pipes that qmail-start made.
#[derive(Debug)]
pub struct Pipes {
    /// The log.
    pub log: OwnedFd,
    /// qmail-lspawn.
    pub local: Ends,
    /// qmail-rspawn.
    pub remote: Ends,
    /// qmail-clean.
    pub clean: Ends,
    /// qmail-todo; none with a qmail-start that does not know it.
    pub todo: Option<Ends>,
}

/// Our ends of the pipes to and from another process.
#[derive(Debug)]
pub struct Ends {
    /// What we write.
    pub to: File,
    /// What we read.
    pub from: File,
}

/// Works until it is told to stop, or one of the others is gone. Returns whether it could start at
/// all.
pub fn run(pipes: Pipes) -> bool {
    match start::start(pipes) {
        Ok(daemon) => {
            daemon.run();
            true
        }
        Err(start::CannotStart) => false,
    }
}
