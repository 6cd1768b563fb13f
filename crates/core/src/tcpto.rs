//! The tables of hosts that did not answer: `queue/lock/tcpto`, shared with netqmail's programs,
//! and `queue/lock/tcpto6` for the addresses that have no room in it.
//!
//! They only save time. Whatever is wrong with a file, the answer is that nothing is remembered.

mod file;
mod table;

pub use file::{TimeoutFile, Verdict};
pub use table::{Family, Record, Table};
