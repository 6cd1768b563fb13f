//! Who may work on `todo/`.

use std::fs::{File, TryLockError};
use std::io;

use super::Queue;

/// The right to preprocess messages, held by one process of a tree until it is dropped.
///
/// qmail-todo holds it while it works; qmail-send holds it while it reads what was preprocessed
/// before, so that nothing is preprocessed behind its back by a qmail-todo that outlived its own
/// qmail-send: such a message would not be delivered until the next start.
///
/// It is an flock(2) on the directory `todo/` itself: a tree needs no new file for it.
#[derive(Debug)]
pub struct TodoLock {
    _directory: File,
}

impl TodoLock {
    /// Takes the right; `None` while somebody else has it.
    pub fn try_take(queue: &Queue) -> io::Result<Option<Self>> {
        let directory = File::open(queue.root().join("todo"))?;
        match directory.try_lock() {
            Ok(()) => Ok(Some(Self { _directory: directory })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_has_the_right() {
        let root = tempfile::tempdir().unwrap();
        for directory in ["mess/0", "todo"] {
            std::fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        let queue = Queue::open(root.path()).unwrap();
        let lock = TodoLock::try_take(&queue).unwrap();
        assert!(lock.is_some());
        assert!(TodoLock::try_take(&queue).unwrap().is_none());
        drop(lock);
        assert!(TodoLock::try_take(&queue).unwrap().is_some());
    }
}
