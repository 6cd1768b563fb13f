//! Locks, with a limit to the wait for them.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr;
use std::time::{Duration, Instant};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use crate::fd::check;

/// How often a wait is interrupted to look at the clock.
const TICK: Duration = Duration::from_secs(1);

/// How a file is locked. Neither kind knows of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// flock(2).
    Flock,
    /// The whole file, by fcntl(2).
    Fcntl,
}

/// Locks `file` against everybody else who locks it in this way, and waits for them up to `limit`.
///
/// SIGALRM and its timer are used for the wait, and put back to what a new process has.
///
/// # Errors
/// `TimedOut` after `limit`; otherwise those of the call, as where a file system has no locks.
pub fn lock_within(file: &File, kind: LockKind, limit: Duration) -> io::Result<()> {
    match lock(file, kind, Patience::None) {
        Err(error) if is_taken(&error) => {}
        result => return result,
    }
    set_alarm_handler(SigHandler::Handler(only_interrupt))?;
    set_timer(TICK.min(limit).max(Duration::from_millis(1)))?;
    let result = wait_for(file, kind, limit);
    set_timer(Duration::ZERO)?;
    set_alarm_handler(SigHandler::SigDfl)?;
    result
}

#[derive(Clone, Copy)]
enum Patience {
    None,
    UntilInterrupted,
}

/// fcntl may say that it has no permission, where flock would block.
fn is_taken(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES))
}

/// The timer goes on ticking, so that a tick between the look at the clock and the call is not the
/// last one.
fn wait_for(file: &File, kind: LockKind, limit: Duration) -> io::Result<()> {
    let started = Instant::now();
    loop {
        match lock(file, kind, Patience::UntilInterrupted) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
        if started.elapsed() >= limit {
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
}

fn lock(file: &File, kind: LockKind, patience: Patience) -> io::Result<()> {
    match (kind, patience) {
        (LockKind::Flock, Patience::None) => flock(file, libc::LOCK_EX | libc::LOCK_NB),
        (LockKind::Flock, Patience::UntilInterrupted) => flock(file, libc::LOCK_EX),
        (LockKind::Fcntl, Patience::None) => fcntl_lock(file, libc::F_SETLK),
        (LockKind::Fcntl, Patience::UntilInterrupted) => fcntl_lock(file, libc::F_SETLKW),
    }
}

fn flock(file: &File, operation: libc::c_int) -> io::Result<()> {
    // SAFETY: flock takes two numbers and touches no memory.
    check(unsafe { libc::flock(file.as_raw_fd(), operation) }).map(drop)
}

fn fcntl_lock(file: &File, operation: libc::c_int) -> io::Result<()> {
    // SAFETY: every member is a number, and zero is one.
    let mut whole: libc::flock = unsafe { std::mem::zeroed() };
    whole.l_type = libc::c_short::try_from(libc::F_WRLCK).unwrap_or_default();
    whole.l_whence = libc::c_short::try_from(libc::SEEK_SET).unwrap_or_default();
    // SAFETY: the kernel reads a structure that lives through the call.
    check(unsafe { libc::fcntl(file.as_raw_fd(), operation, &raw const whole) }).map(drop)
}

/// Zero stops it.
fn set_timer(interval: Duration) -> io::Result<()> {
    let time = libc::timeval {
        tv_sec: interval.as_secs().try_into().unwrap_or(1),
        tv_usec: interval.subsec_micros().cast_signed().into(),
    };
    let timer = libc::itimerval { it_interval: time, it_value: time };
    // SAFETY: setitimer reads `timer`, and writes nothing where the last pointer is null.
    check(unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, ptr::null_mut()) })
        .map(drop)
}

/// Without SA_RESTART, so that a call that waits comes back.
fn set_alarm_handler(handler: SigHandler) -> io::Result<()> {
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: the one handler that is ever passed does nothing at all.
    unsafe { sigaction(Signal::SIGALRM, &action) }?;
    Ok(())
}

extern "C" fn only_interrupt(_: libc::c_int) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exit, fork};

    #[test]
    fn a_lock_that_is_free_is_ours_at_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        lock_within(file.as_file(), LockKind::Flock, Duration::ZERO).unwrap();
        assert!(file.reopen().unwrap().try_lock().is_err());
    }

    /// In a child, since a signal interrupts whichever thread of the test harness it meets.
    #[test]
    fn the_wait_for_a_lock_ends_in_time_and_can_be_repeated() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().lock().unwrap();
        let other = file.reopen().unwrap();
        let timed_out = || {
            let error = lock_within(&other, LockKind::Flock, Duration::from_millis(20)).err();
            error.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
        };
        let child = fork(|| u8::from(!(timed_out() && timed_out())));
        assert_eq!(child.unwrap().wait().unwrap(), Exit::Code(0));
    }

    #[test]
    fn a_lock_that_becomes_free_is_ours_then() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().lock().unwrap();
        let other = file.reopen().unwrap();
        let child = fork(|| {
            u8::from(lock_within(&other, LockKind::Flock, Duration::from_secs(60)).is_err())
        });
        file.as_file().unlock().unwrap();
        assert_eq!(child.unwrap().wait().unwrap(), Exit::Code(0));
    }
}
