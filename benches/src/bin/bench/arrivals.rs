//! Seeing mail arrive in a Maildir.

use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::site::LIMIT;

/// A Maildir, from before the first message came.
#[derive(Debug)]
pub(crate) struct Arrivals {
    watch: Inotify,
    new: PathBuf,
    seen: usize,
}

impl Arrivals {
    pub(crate) fn of(maildir: &Path) -> io::Result<Self> {
        let new = maildir.join("new");
        let watch = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        watch.add_watch(&new, AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO)?;
        Ok(Self { watch, new, seen: 0 })
    }

    /// How many have come.
    pub(crate) fn count(&mut self) -> io::Result<usize> {
        loop {
            match self.watch.read_events() {
                Ok(events) => {
                    if events.iter().any(|e| e.mask.contains(AddWatchFlags::IN_Q_OVERFLOW)) {
                        return Err(io::Error::other("too many messages at once to be counted"));
                    }
                    self.seen += events.len();
                }
                Err(nix::Error::EAGAIN) => return Ok(self.seen),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits until this many have come, and looks whether they are there.
    pub(crate) fn wait_for(&mut self, count: usize) -> io::Result<()> {
        let mut last = Instant::now();
        while self.count()? < count {
            let mut watched = [PollFd::new(self.watch.as_fd(), PollFlags::POLLIN)];
            let timeout = PollTimeout::from(1000_u16);
            if poll(&mut watched, timeout)? > 0 {
                last = Instant::now();
            } else if last.elapsed() > LIMIT {
                let seen = self.seen;
                return Err(io::Error::other(format!("{seen} of {count} in the Maildir")));
            }
        }
        Ok(())
    }

    /// Exactly so many messages must be there: what is fast and wrong is of no use.
    pub(crate) fn check(&self, count: usize) -> io::Result<()> {
        let there = std::fs::read_dir(&self.new)?.count();
        if there == count {
            return Ok(());
        }
        Err(io::Error::other(format!("{there} messages in the Maildir, and {count} were sent")))
    }
}
