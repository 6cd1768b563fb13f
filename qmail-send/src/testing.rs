//! A little queue to test with.

use std::fs;

use qmail_core::queue::Queue;
use tempfile::TempDir;

/// A queue of these directories, which is there as long as the first of the two.
pub(crate) fn queue(directories: &[&str]) -> (TempDir, Queue) {
    let root = tempfile::tempdir().unwrap();
    for directory in directories {
        fs::create_dir_all(root.path().join(directory)).unwrap();
    }
    let queue = Queue::open(root.path()).unwrap();
    (root, queue)
}
