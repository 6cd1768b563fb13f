//! The FIFO by which qmail-queue wakes whoever reads `todo/`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

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
///
/// It is the writers' end, too: so it never comes to its end, which poll(2) would report without end,
/// and need not be opened anew after each pull.
#[derive(Debug)]
pub struct Trigger {
    fifo: File,
}

impl Trigger {
    /// Opens it. From now on it is readable when it has been pulled.
    pub fn open(queue: &Queue) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(OPEN_NONBLOCKING);
        Ok(Self { fifo: options.open(queue.root().join(NAME))? })
    }

    /// How often it has been pulled since the last time. What comes from now on makes it readable
    /// again.
    ///
    /// To be called **before** one looks for what is in `todo/`: what was linked before is then seen,
    /// what is linked later wakes us again.
    pub fn take_pulls(&mut self) -> io::Result<usize> {
        let mut block = [0; 1024];
        let mut pulls = 0;
        loop {
            match self.fifo.read(&mut block) {
                Ok(length) => {
                    pulls += length;
                    if length < block.len() {
                        return Ok(pulls);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(pulls),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl AsFd for Trigger {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fifo.as_fd()
    }
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
    fn pulls_are_seen_until_they_are_taken() {
        let root = tempfile::tempdir().unwrap();
        for directory in ["mess/0", "todo", "lock"] {
            std::fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        qmail_sys::make_fifo(&root.path().join(NAME), 0o622).unwrap();
        let queue = Queue::open(root.path()).unwrap();
        // Nobody hears it.
        pull(&queue);
        let mut trigger = Trigger::open(&queue).unwrap();
        assert!(!is_pulled(&trigger));
        for pulls in [1, 2, 3000] {
            (0..pulls).for_each(|_| pull(&queue));
            assert!(is_pulled(&trigger));
            assert_eq!(trigger.take_pulls().unwrap(), pulls);
            assert!(!is_pulled(&trigger));
        }
        assert_eq!(trigger.take_pulls().unwrap(), 0);
        // Who opens it anew, since another may have its name, hears what was not taken.
        pull(&queue);
        trigger = Trigger::open(&queue).unwrap();
        assert_eq!(trigger.take_pulls().unwrap(), 1);
    }
}
