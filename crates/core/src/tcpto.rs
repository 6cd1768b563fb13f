//! The table of hosts that did not answer: `queue/lock/tcpto`, shared with netqmail's programs.
//!
//! It only saves time. Whatever is wrong with the file, the answer is that nothing is remembered.

mod file;
mod table;

pub use file::{TimeoutFile, Verdict};
pub use table::{Record, Table};
