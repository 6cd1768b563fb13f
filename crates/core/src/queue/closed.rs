//! Queues that are closed to everybody while their layout changes.
//!
//! `pid/`, without which qmail-queue cannot begin, and `lock/sendmutex`, without which qmail-send
//! cannot start, have other names then. These stay if the work on the queue breaks off: a message that
//! came to a queue which is half in one layout and half in another could be taken for an old one of
//! its number.

use std::path::{Path, PathBuf};

/// The lock of qmail-send, below the queue.
pub const MUTEX: &str = "lock/sendmutex";
/// Where messages come in, below the queue.
pub const WAY_IN: &str = "pid";
const CLOSED: &str = "closed";

/// What one of the two is called in a closed queue.
pub fn closed_name(root: &Path, name: &str) -> PathBuf {
    root.join(format!("{name}.{CLOSED}"))
}

/// Whether somebody closed the queue at `root` and did not open it again.
pub fn is_closed(root: &Path) -> bool {
    [WAY_IN, MUTEX].iter().any(|name| closed_name(root, name).symlink_metadata().is_ok())
}
