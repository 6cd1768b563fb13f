//! qmail-clean removes files that qmailq owns for qmail-send and qmail-todo, who may not.
//!
//! It takes one request at a time, and answers each with one byte. Between requests it removes what
//! qmail-queue left behind in `pid/` when it was killed.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod litter;
mod removal;

use std::io::{self, Read, Write};
use std::time::SystemTime;

use qmail_core::queue::Queue;
use qmail_wire::clean::{Reply, RequestParser};

/// `pid/` is looked at once for so many requests.
const REQUESTS_BETWEEN_SWEEPS: u32 = 31;

/// Why qmail-clean gives up.
#[derive(Debug)]
pub enum Failure {
    /// There is no queue, or it cannot be entered.
    Queue(io::Error),
    /// Requests cannot be read.
    Read(io::Error),
    /// A reply cannot be written.
    Reply(io::Error),
}

impl Failure {
    /// The exit code: see qmail-clean(8).
    pub const fn code(&self) -> u8 {
        match self {
            Self::Reply(_) => 100,
            Self::Queue(_) | Self::Read(_) => 111,
        }
    }
}

/// Answers requests until there are no more.
///
/// # Errors
/// If requests cannot be read, or replies not written.
pub fn run(
    queue: &Queue,
    mut requests: impl Read,
    mut replies: impl Write,
    now: impl Fn() -> SystemTime,
) -> Result<(), Failure> {
    let mut parser = RequestParser::new();
    let mut until_sweep = 0;
    loop {
        let mut block = [0; 1024];
        if until_sweep == 0 {
            litter::sweep(queue, now());
            until_sweep = REQUESTS_BETWEEN_SWEEPS;
        }
        let length = match requests.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::Read(error)),
        };
        for request in parser.push(block.get(..length).unwrap_or_default()) {
            let reply = request.map_or(Reply::Unknown, |request| removal::perform(queue, request));
            replies.write_all(&[reply.byte()]).map_err(Failure::Reply)?;
            until_sweep = until_sweep.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests;
