//! The FIFO by which qmail-queue wakes whoever reads `todo/`.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use qmail_sys::OPEN_NONBLOCKING;

use super::Queue;

const NAME: &str = "lock/trigger";

/// Wakes the reader, if there is one. Nothing depends on it: `todo/` is read every 25 minutes anyway.
pub(super) fn pull(queue: &Queue) {
    let fifo =
        OpenOptions::new().write(true).custom_flags(OPEN_NONBLOCKING).open(queue.root().join(NAME));
    if let Ok(mut fifo) = fifo {
        let _ = fifo.write(&[0]);
    }
}

/// The reader's end.
#[derive(Debug)]
pub struct Trigger {
    path: PathBuf,
    fifo: File,
}

impl Trigger {
    /// Opens it. From now on it becomes readable when it is pulled.
    pub fn open(queue: &Queue) -> io::Result<Self> {
        let path = queue.root().join(NAME);
        let fifo = open(&path)?;
        Ok(Self { path, fifo })
    }

    /// Forgets that it was pulled, so that what comes from now on makes it readable again.
    ///
    /// To be called **before** a scan of `todo/`: what was linked before is then seen by the scan,
    /// what is linked later wakes us again.
    pub fn reset(&mut self) -> io::Result<()> {
        // The byte is not read: it goes when the last reader closes. So close, then open.
        self.fifo = File::open("/dev/null")?;
        self.fifo = open(&self.path)?;
        Ok(())
    }
}

impl AsFd for Trigger {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fifo.as_fd()
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OPEN_NONBLOCKING).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmail_sys::{Interest, poll};
    use std::time::Duration;

    fn is_pulled(trigger: &Trigger) -> bool {
        poll(&mut [Interest::reading(trigger.as_fd())], Some(Duration::ZERO)).unwrap()
    }

    #[test]
    fn a_pull_is_seen_until_the_reset() {
        let root = tempfile::tempdir().unwrap();
        for directory in ["mess/0", "todo", "lock"] {
            std::fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        qmail_sys::make_fifo(&root.path().join(NAME), 0o622).unwrap();
        let queue = Queue::open(root.path()).unwrap();
        pull(&queue);
        let mut trigger = Trigger::open(&queue).unwrap();
        assert!(!is_pulled(&trigger));
        pull(&queue);
        assert!(is_pulled(&trigger));
        trigger.reset().unwrap();
        assert!(!is_pulled(&trigger));
        pull(&queue);
        assert!(is_pulled(&trigger));
    }
}
