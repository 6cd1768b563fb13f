//! Descriptors: those we were given, pipes, and whether they block.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// A bit for each descriptor that somebody owns already.
static TAKEN: AtomicU32 = AtomicU32::new(0);

/// Takes ownership of descriptor `n`, which our parent gave us, and keeps it from our children.
///
/// # Errors
/// `EBADF` if it is not open; `AlreadyExists` if it was taken before; `InvalidInput` from 32 on.
pub fn inherit(n: u8) -> io::Result<OwnedFd> {
    let mask = 1_u32.checked_shl(n.into()).ok_or(io::ErrorKind::InvalidInput)?;
    if TAKEN.fetch_or(mask, Ordering::Relaxed) & mask != 0 {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    // SAFETY: fcntl with F_SETFD touches no memory; a closed descriptor is reported as EBADF.
    check(unsafe { libc::fcntl(n.into(), libc::F_SETFD, libc::FD_CLOEXEC) })?;
    // SAFETY: fcntl proved `n` open, and TAKEN proves that nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(n.into()) })
}

/// Another descriptor `n` has been put in the place of the one that was owned.
pub(crate) fn give_again(n: RawFd) {
    if let Some(mask) = u32::try_from(n).ok().and_then(|n| 1_u32.checked_shl(n)) {
        TAKEN.fetch_and(!mask, Ordering::Relaxed);
    }
}

/// Both ends of a pipe; close-on-exec.
#[derive(Debug)]
pub struct Pipe {
    /// Where the bytes come out.
    pub read: OwnedFd,
    /// Where they go in.
    pub write: OwnedFd,
}

/// Makes a pipe that children do not see unless it is connected to them.
pub fn pipe() -> io::Result<Pipe> {
    let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    Ok(Pipe { read, write })
}

/// Makes reads and writes on the open file behind `fd` return `WouldBlock` instead of waiting.
pub fn set_nonblocking(fd: impl AsFd) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(&fd, FcntlArg::F_GETFL)?);
    fcntl(&fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

/// A copy of `fd` whose number is above `floor`, so that it is in nobody's way.
pub(crate) fn lift(fd: BorrowedFd<'_>, floor: RawFd) -> io::Result<OwnedFd> {
    let lifted = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(floor.saturating_add(1)))?;
    // SAFETY: the kernel has just made this descriptor, and nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(lifted) })
}

/// Turns the C way of telling an error into the Rust way.
pub(crate) fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn a_lifted_descriptor_is_above_the_floor() {
        let pipe = pipe().unwrap();
        assert!(lift(pipe.read.as_fd(), 50).unwrap().as_raw_fd() > 50);
    }

    /// In a process of its own, where no other test opens or closes anything.
    #[test]
    fn a_closed_descriptor_cannot_be_inherited() {
        let child = crate::fork(|| {
            // SAFETY: close takes a number; this process has nothing there that it needs.
            unsafe { libc::close(30) };
            let first = inherit(30).map(drop).map_err(|error| error.raw_os_error());
            let again = inherit(30).map(drop).map_err(|error| error.kind());
            let beyond = inherit(32).map(drop).map_err(|error| error.kind());
            let expected = (
                Err(Some(libc::EBADF)),
                Err(io::ErrorKind::AlreadyExists),
                Err(io::ErrorKind::InvalidInput),
            );
            u8::from((first, again, beyond) != expected)
        });
        assert_eq!(child.unwrap().wait().unwrap(), crate::Exit::Code(0));
    }
}
