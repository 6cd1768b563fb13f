//! What a killed qmail-queue leaves in `pid/`.

use std::fs::{self, DirEntry};
use std::io;
use std::time::SystemTime;

use qmail_core::queue::{OSSIFIED, Queue};

/// Removes every file of `pid/` that no living qmail-queue can be using. Whatever goes wrong, the
/// next sweep tries again.
pub(crate) fn sweep(queue: &Queue, now: SystemTime) {
    let Ok(entries) = fs::read_dir(queue.root().join("pid")) else { return };
    for entry in entries.flatten() {
        if is_ossified(&entry, now).unwrap_or(false) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_ossified(entry: &DirEntry, now: SystemTime) -> io::Result<bool> {
    // The time of the last access: somebody who still reads the file is left in peace.
    let accessed = entry.metadata()?.accessed()?;
    Ok(now.duration_since(accessed).is_ok_and(|age| age >= OSSIFIED))
}
