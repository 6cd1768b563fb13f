//! Children and how they ended.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It left with this code.
    Code(u8),
    /// A signal of this number killed it.
    Signal(i32),
}

/// A process that we started and have not waited for.
#[derive(Debug)]
#[must_use = "a child that nobody waits for becomes a zombie"]
pub struct Child {
    pid: Pid,
}

impl Child {
    pub(crate) fn new(pid: Pid) -> Self {
        Self { pid }
    }

    /// A child that somebody else has made for us, as [`Siblings`](crate::Siblings) does; `None` for
    /// what is no process id.
    pub fn given(process: u32) -> Option<Self> {
        let pid = i32::try_from(process).ok().filter(|pid| *pid > 0)?;
        Some(Self::new(Pid::from_raw(pid)))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// `ECHILD` if somebody else reaped it.
    pub fn wait(self) -> io::Result<Exit> {
        loop {
            match waitpid(self.pid, None).map(exit_of) {
                Ok(Some((_, exit))) => return Ok(exit),
                Ok(None) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// A descriptor that is ready for reading once the process has ended: see pidfd_open(2).
    ///
    /// # Errors
    /// `ENOSYS` on a Linux before 5.3.
    pub fn ended(&self) -> io::Result<OwnedFd> {
        // SAFETY: pidfd_open takes two numbers and touches no memory.
        let result = unsafe { libc::syscall(libc::SYS_pidfd_open, self.pid.as_raw(), 0) };
        match i32::try_from(result) {
            // SAFETY: the kernel has just made this descriptor, and nobody else knows its number.
            Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Ends it at once; it still has to be waited for.
    pub fn kill(&self) -> io::Result<()> {
        Ok(nix::sys::signal::kill(self.pid, nix::sys::signal::Signal::SIGKILL)?)
    }
}

/// Takes one ended child, if there is one: its process id and how it ended.
pub fn reap() -> io::Result<Option<(u32, Exit)>> {
    reap_as(exit_of)
}

/// As [`reap`], with the status as wait(2) gives it to C programs: the signal that killed the child,
/// 128 more if it left a core, and 256 times its exit code.
pub fn reap_status() -> io::Result<Option<(u32, u32)>> {
    reap_as(status_of)
}

fn reap_as<E>(end: fn(WaitStatus) -> Option<(Pid, E)>) -> io::Result<Option<(u32, E)>> {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(None),
            Ok(status) => {
                if let Some((pid, end)) = end(status) {
                    return Ok(Some((pid.as_raw().unsigned_abs(), end)));
                }
            }
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Makes this process the leader of a process group of its own.
pub fn new_process_group() -> io::Result<()> {
    Ok(nix::unistd::setpgid(Pid::from_raw(0), Pid::from_raw(0))?)
}

fn exit_of(status: WaitStatus) -> Option<(Pid, Exit)> {
    match status {
        // The kernel keeps eight bits of an exit code.
        WaitStatus::Exited(pid, code) => Some((pid, Exit::Code(u8::try_from(code & 0xff).ok()?))),
        WaitStatus::Signaled(pid, signal, _) => Some((pid, Exit::Signal(signal as i32))),
        _ => None,
    }
}

fn status_of(status: WaitStatus) -> Option<(Pid, u32)> {
    match status {
        WaitStatus::Exited(pid, code) => Some((pid, (code.unsigned_abs() & 0xff) << 8)),
        WaitStatus::Signaled(pid, signal, core) => {
            Some((pid, (signal as i32).unsigned_abs() | if core { 0x80 } else { 0 }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::Signal;

    #[test]
    fn a_status_has_code_signal_and_core_in_their_places() {
        let pid = Pid::from_raw(7);
        assert_eq!(status_of(WaitStatus::Exited(pid, 100)), Some((pid, 25600)));
        assert_eq!(status_of(WaitStatus::Signaled(pid, Signal::SIGTERM, false)), Some((pid, 15)));
        assert_eq!(status_of(WaitStatus::Signaled(pid, Signal::SIGSEGV, true)), Some((pid, 139)));
        assert_eq!(status_of(WaitStatus::StillAlive), None);
    }
}
