//! Making, checking, repairing and converting a queue while nothing runs: qmail-qrepair.

mod apply;
mod areas;
mod contents;
mod detect;
mod fixtures;
mod inventory;
mod plan;
mod report;
mod request;
mod run;

#[cfg(test)]
mod tests;

pub use request::{BadRequest, Job, Request, USAGE};
pub use run::{Failure, Outcome, run};

use qmail_core::queue::Todo;

/// How a queue is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Number of parts of a split directory.
    pub split: u64,
    /// Whether `todo` and `intd` are split as well.
    pub todo: Todo,
}
