//! qmail-todo finds new messages in `todo/`, decides for each recipient who delivers to him, writes
//! that down, and tells qmail-send.
//!
//! Deciding is in `route`, which does no I/O. Writing down is in `batch`: several messages are
//! written, then brought to disk together, then reported.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod arrivals;
mod batch;
mod cleaner;
mod daemon;
mod lines;
mod pass;
mod reporter;
mod route;
mod scan;
mod settings;
mod start;
#[cfg(test)]
#[path = "../../qmail-send/src/testing.rs"]
mod testing;

use std::fs::File;
use std::os::fd::OwnedFd;

/// The four pipes.
#[derive(Debug)]
pub struct Pipes {
    /// From qmail-send.
    pub orders: OwnedFd,
    /// To qmail-send.
    pub news: File,
    /// To qmail-clean.
    pub requests: File,
    /// From qmail-clean.
    pub replies: File,
}

/// Works until qmail-send says stop or is gone. Returns whether it could start at all.
pub fn run(pipes: Pipes) -> bool {
    match start::start(pipes) {
        Ok(daemon) => {
            daemon.run();
            true
        }
        Err(start::CannotStart) => false,
    }
}
