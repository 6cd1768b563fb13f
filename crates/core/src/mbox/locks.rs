//! Which locks an mbox is given: whoever else reads or writes it must use one of them.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use qmail_sys::LockKind;

use super::dot_lock::DotLock;

/// The kinds of locks that are used, all of them at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locks {
    flock: bool,
    fcntl: bool,
    dot: bool,
}

/// As qmail has always done it.
impl Default for Locks {
    fn default() -> Self {
        Self { flock: true, fcntl: false, dot: false }
    }
}

impl Locks {
    /// Reads `flock`, `fcntl` and `dot`, with commas between them. `None` for anything else, and
    /// for no lock at all: nothing is written without one.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut locks = Self { flock: false, fcntl: false, dot: false };
        for word in text.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            match word {
                b"flock" => locks.flock = true,
                b"fcntl" => locks.fcntl = true,
                b"dot" => locks.dot = true,
                _ => return None,
            }
        }
        Some(locks)
    }

    /// Takes them within `limit`. Those of the file go when it is closed; the other is returned.
    ///
    /// # Errors
    /// `TimedOut` if somebody else has one of the file for so long. `WouldBlock` if somebody else has
    /// the other: he may be waiting for those of the file, so let them go before the next attempt.
    pub(super) fn take(
        self,
        mbox: &Path,
        file: &File,
        limit: Duration,
    ) -> io::Result<Option<DotLock>> {
        let started = Instant::now();
        let left = || limit.saturating_sub(started.elapsed());
        for (wanted, kind) in [(self.fcntl, LockKind::Fcntl), (self.flock, LockKind::Flock)] {
            if wanted {
                qmail_sys::lock_within(file, kind, left())?;
            }
        }
        if !self.dot {
            return Ok(None);
        }
        DotLock::take(mbox)?.map(Some).ok_or(io::ErrorKind::WouldBlock.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_named_and_there_is_at_least_one() {
        assert_eq!(Locks::parse(b"flock"), Some(Locks::default()));
        let all = Locks { flock: true, fcntl: true, dot: true };
        assert_eq!(Locks::parse(b"fcntl, dot,flock"), Some(all));
        for text in [b"".as_slice(), b",", b"none", b"flock,lockf", b"FLOCK"] {
            assert_eq!(Locks::parse(text), None, "{text:?}");
        }
    }
}
