//! Waiting for several descriptors at once.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};

/// One descriptor to wait for, and what became of it.
#[derive(Debug)]
pub struct Interest<'fd> {
    inner: PollFd<'fd>,
}

impl<'fd> Interest<'fd> {
    /// Waits until `fd` has bytes, or its other end is gone.
    pub fn reading(fd: BorrowedFd<'fd>) -> Self {
        Self { inner: PollFd::new(fd, PollFlags::POLLIN) }
    }

    /// Waits until `fd` takes bytes, or its other end is gone.
    pub fn writing(fd: BorrowedFd<'fd>) -> Self {
        Self { inner: PollFd::new(fd, PollFlags::POLLOUT) }
    }

    /// Waits until the other end of `fd` is gone, and does not care for bytes.
    pub fn hanging_up(fd: BorrowedFd<'fd>) -> Self {
        Self { inner: PollFd::new(fd, PollFlags::empty()) }
    }

    /// Whether a call on the descriptor will not block now; also so if it would fail.
    pub fn is_ready(&self) -> bool {
        self.inner.any().unwrap_or(true)
    }
}

/// Waits until one of `interests` is ready or `timeout` is over (`None`: for ever).
///
/// Returns whether one is ready. A signal ends the wait early, with `false`.
pub fn poll(interests: &mut [Interest<'_>], timeout: Option<Duration>) -> io::Result<bool> {
    let mut inner: Vec<PollFd<'_>> =
        interests.iter().map(|interest| interest.inner.clone()).collect();
    let ready = match nix::poll::poll(&mut inner, milliseconds(timeout)) {
        Ok(count) => count > 0,
        Err(Errno::EINTR) => return Ok(false),
        Err(errno) => return Err(errno.into()),
    };
    for (interest, polled) in interests.iter_mut().zip(inner) {
        interest.inner = polled;
    }
    Ok(ready)
}

/// Rounded up, so that a wait never ends before its time; the longest poll(2) knows is 24 days.
fn milliseconds(timeout: Option<Duration>) -> PollTimeout {
    let Some(timeout) = timeout else { return PollTimeout::NONE };
    let rounded = timeout.as_nanos().div_ceil(1_000_000);
    PollTimeout::try_from(rounded).unwrap_or(PollTimeout::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write;
    use std::os::fd::AsFd;

    #[test]
    fn a_pipe_is_ready_once_it_holds_a_byte() {
        let pipe = crate::pipe().unwrap();
        let mut interests = [Interest::reading(pipe.read.as_fd())];
        assert!(!poll(&mut interests, Some(Duration::ZERO)).unwrap());
        assert!(!interests[0].is_ready());
        let mut writer = File::from(pipe.write);
        writer.write_all(b"x").unwrap();
        assert!(poll(&mut interests, None).unwrap());
        assert!(interests[0].is_ready());
        let mut interests = [Interest::hanging_up(pipe.read.as_fd())];
        assert!(!poll(&mut interests, Some(Duration::ZERO)).unwrap());
        drop(writer);
        assert!(poll(&mut interests, None).unwrap());
        assert!(interests[0].is_ready());
    }
}
