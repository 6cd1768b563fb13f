//! Waiting for the other side of a connection to go.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Waits until the other side of `fd` has gone, but not longer than `time`. Bytes that wait to be
/// read do not count. Returns whether it has gone; a signal ends the wait early, with `false`.
pub fn wait_for_hangup(fd: BorrowedFd<'_>, time: Duration) -> io::Result<bool> {
    let rounded = time.as_nanos().div_ceil(1_000_000);
    let timeout = PollTimeout::try_from(rounded).unwrap_or(PollTimeout::MAX);
    // nix has no name for it.
    let gone = PollFlags::from_bits_retain(libc::POLLRDHUP);
    match poll(&mut [PollFd::new(fd, gone)], timeout) {
        Ok(count) => Ok(count > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn bytes_are_no_hangup_and_a_closed_socket_is() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(b"x").unwrap();
        assert!(!wait_for_hangup(ours.as_fd(), Duration::from_millis(1)).unwrap());
        drop(theirs);
        assert!(wait_for_hangup(ours.as_fd(), Duration::from_secs(600)).unwrap());
    }
}
