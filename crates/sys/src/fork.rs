//! Children that run our own code.

use std::io;
use std::panic::AssertUnwindSafe;

use nix::unistd::ForkResult;

use crate::Child;

/// Runs `body` in a child process, which ends with the number that `body` returns.
///
/// # Errors
/// Those of fork(2), and `Other` if this process has more than one thread: a copy of it might
/// hold a lock for ever that no thread is left to release. (Not asked in a test build, whose
/// harness has threads of its own.)
pub fn fork(body: impl FnOnce() -> u8) -> io::Result<Child> {
    alone()?;
    // SAFETY: there is no other thread whose locks or half-done work the child could inherit.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { child } => Ok(Child::new(child)),
        ForkResult::Child => {
            let code = std::panic::catch_unwind(AssertUnwindSafe(body)).map_or(111, i32::from);
            // SAFETY: _exit takes a number, runs nothing of ours, and does not come back.
            unsafe { libc::_exit(code) }
        }
    }
}

/// # Errors
/// `Other` if this process has more than one thread.
pub(crate) fn alone() -> io::Result<()> {
    // SAFETY: unshare with this flag changes nothing; it only fails where there are other threads, and
    // where a filter of system calls knows it not at all.
    if unsafe { libc::unshare(libc::CLONE_THREAD) } == 0 {
        return Ok(());
    }
    if !cfg!(test) && std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() > 1) {
        return Err(io::Error::other("beside other threads"));
    }
    Ok(())
}
