//! Who else works on a queue, and keeping them away from it.
//!
//! qmail-send holds a lock on `lock/sendmutex` for life, ours and netqmail's alike; whoever has that
//! lock keeps it from starting. qmail-queue takes no lock, but makes its first file in `pid/`: with
//! that directory out of the way it fails before it has begun, and whoever sends tries again later.

mod processes;

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use qmail_core::errno;
use qmail_core::queue::{MUTEX, Queue, Todo, TodoLock, WAY_IN, closed_name, is_closed};
use qmail_sys::sync_directory;

pub(crate) use processes::{Process, holder, in_queue};

/// Why work on a queue cannot begin, or has ended early.
#[derive(Debug)]
pub enum NotAlone {
    /// qmail-send, or a qmail-todo that it left, is running.
    Running,
    /// Another process works in the queue.
    Busy(Process),
    /// The system would not do it.
    System(&'static str, PathBuf, io::Error),
}

impl fmt::Display for NotAlone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => formatter.write_str("qmail-send is running"),
            Self::Busy(process) => {
                write!(formatter, "process {}, {}, works in the queue", process.id, process.name)
            }
            Self::System(what, path, error) => {
                write!(formatter, "unable to {what} {}: {}", path.display(), errno::text(error))
            }
        }
    }
}

impl std::error::Error for NotAlone {}

/// The right of qmail-send to a queue, as long as this lives.
#[derive(Debug)]
pub(crate) struct Alone {
    root: PathBuf,
    _mutex: Option<File>,
    _todo: Option<TodoLock>,
}

impl Alone {
    /// Takes it for the queue at `root`, be it closed or not. A queue without `lock/sendmutex` is
    /// nobody's: no qmail-send starts there.
    pub(crate) fn take(root: &Path) -> Result<Self, NotAlone> {
        let open = lock(&root.join(MUTEX))?;
        let mutex = match open {
            Some(mutex) => Some(mutex),
            None => lock(&closed_name(root, MUTEX))?,
        };
        Ok(Self { root: root.to_owned(), _mutex: mutex, _todo: lock_todo(root)? })
    }

    /// Closes the queue to everybody, and looks whether anybody is still in it.
    pub(crate) fn close(self) -> Result<Closed, NotAlone> {
        let had_been_closed = is_closed(&self.root);
        let closed = Closed { alone: self, had_been_closed };
        for name in [WAY_IN, MUTEX] {
            closed.rename(&closed.root().join(name), &closed_name(closed.root(), name))?;
        }
        if let Some(process) = in_queue(closed.root()).into_iter().next() {
            if !closed.had_been_closed {
                closed.open()?;
            }
            return Err(NotAlone::Busy(process));
        }
        Ok(closed)
    }
}

/// A queue that nobody can work on but us. It stays closed, whatever becomes of us, until
/// [`Closed::open`].
#[derive(Debug)]
pub(crate) struct Closed {
    alone: Alone,
    had_been_closed: bool,
}

impl Closed {
    /// Where the queue is.
    pub(crate) fn root(&self) -> &Path {
        &self.alone.root
    }

    /// Whether it was closed already, since earlier work on it did not end.
    pub(crate) fn had_been_closed(&self) -> bool {
        self.had_been_closed
    }

    /// Opens the queue again; nobody but us may start yet.
    pub(crate) fn open(self) -> Result<Alone, NotAlone> {
        for name in [MUTEX, WAY_IN] {
            self.rename(&closed_name(self.root(), name), &self.root().join(name))?;
        }
        Ok(self.alone)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), NotAlone> {
        let renamed = match fs::rename(from, to) {
            // It has that name already, or there is none.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            renamed => renamed.and_then(|()| sync_directory(to.parent().unwrap_or(self.root()))),
        };
        renamed.map_err(|error| NotAlone::System("move", from.to_owned(), error))
    }
}

fn lock(path: &Path) -> Result<Option<File>, NotAlone> {
    let file = match File::options().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(NotAlone::System("open", path.to_owned(), error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(NotAlone::Running),
        Err(TryLockError::Error(error)) => Err(NotAlone::System("lock", path.to_owned(), error)),
    }
}

/// The layout does not matter for the lock, and may be what is to be repaired.
fn lock_todo(root: &Path) -> Result<Option<TodoLock>, NotAlone> {
    match TodoLock::try_take(&Queue::with_layout(root, NonZeroU64::MIN, Todo::Flat)) {
        Ok(Some(lock)) => Ok(Some(lock)),
        Ok(None) => Err(NotAlone::Running),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(NotAlone::System("lock", root.join("todo"), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for directory in ["lock", "pid", "todo", "mess/0"] {
            fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        File::create(root.path().join(MUTEX)).unwrap();
        root
    }

    #[test]
    fn a_running_qmail_send_is_seen() {
        let root = queue();
        let mutex = File::create(root.path().join(MUTEX)).unwrap();
        mutex.lock().unwrap();
        assert!(matches!(Alone::take(root.path()), Err(NotAlone::Running)));
        drop(mutex);
        assert!(Alone::take(root.path()).is_ok());
    }

    #[test]
    fn a_closed_queue_has_neither_mutex_nor_pid_until_it_is_opened() {
        let root = queue();
        let closed = Alone::take(root.path()).unwrap().close().unwrap();
        assert!(is_closed(root.path()));
        assert!(!root.path().join("pid").exists() && !root.path().join(MUTEX).exists());
        // As after a crash: whoever comes next goes on.
        drop(closed);
        let again = Alone::take(root.path()).unwrap().close().unwrap();
        assert!(matches!(Alone::take(root.path()), Err(NotAlone::Running)));
        again.open().unwrap();
        assert!(!is_closed(root.path()));
        assert!(root.path().join("pid").exists() && root.path().join(MUTEX).exists());
    }

    #[test]
    fn a_process_in_the_queue_keeps_it_open() {
        let root = queue();
        let mut child = std::process::Command::new("cat")
            .current_dir(root.path())
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let result = Alone::take(root.path()).unwrap().close();
        assert!(matches!(&result, Err(NotAlone::Busy(process)) if process.id == child.id()));
        assert!(!is_closed(root.path()));
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(Alone::take(root.path()).unwrap().close().is_ok());
    }
}
