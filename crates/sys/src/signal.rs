//! Signals: as readable events, or as an end with a fixed exit code.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicI32, Ordering};

use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, sigaction, sigprocmask,
};
use nix::sys::signalfd::{SfdFlags, SignalFd};

pub use nix::sys::signal::Signal;

/// Signals that wait in a descriptor until they are read, so that none is missed between a test
/// and a wait.
#[derive(Debug)]
pub struct Signals {
    descriptor: SignalFd,
}

impl Signals {
    /// From now on these signals only make the descriptor readable.
    pub fn watch(signals: &[Signal]) -> io::Result<Self> {
        let mut set = SigSet::empty();
        for signal in signals {
            set.add(*signal);
        }
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), None)?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        Ok(Self { descriptor: SignalFd::with_flags(&set, flags)? })
    }

    /// Takes one signal that has come, if there is one.
    pub fn take(&self) -> io::Result<Option<Signal>> {
        let info = self.descriptor.read_signal()?;
        Ok(info.and_then(|info| Signal::try_from(i32::try_from(info.ssi_signo).ok()?).ok()))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// Ignores these signals from now on; children that are exec'ed go on ignoring all but SIGPIPE.
pub fn ignore(signals: &[Signal]) -> io::Result<()> {
    signals.iter().try_for_each(|signal| handle(*signal, SigHandler::SigIgn))
}

/// Gives these signals back the meaning that they have in a new process.
pub fn restore(signals: &[Signal]) -> io::Result<()> {
    signals.iter().try_for_each(|signal| handle(*signal, SigHandler::SigDfl))
}

/// Lets every signal through that whoever started us had blocked.
pub fn unblock_all() -> io::Result<()> {
    Ok(sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?)
}

static ALARM_CODE: AtomicI32 = AtomicI32::new(0);
static CRASH_CODE: AtomicI32 = AtomicI32::new(0);

/// Ends this process with `code` after so many seconds, whatever it is doing.
pub fn exit_after(seconds: u32, code: u8) -> io::Result<()> {
    ALARM_CODE.store(code.into(), Ordering::Relaxed);
    handle(Signal::SIGALRM, SigHandler::Handler(on_alarm))?;
    nix::unistd::alarm::set(seconds);
    Ok(())
}

/// Takes back what [`exit_after`] was told.
pub fn exit_never() {
    nix::unistd::alarm::cancel();
}

/// Ends this process with `code` where a bug would have killed it, a panic included.
pub fn exit_on_crash(code: u8) -> io::Result<()> {
    const CRASHES: [Signal; 6] = [
        Signal::SIGILL,
        Signal::SIGABRT,
        Signal::SIGFPE,
        Signal::SIGBUS,
        Signal::SIGSEGV,
        Signal::SIGSYS,
    ];
    CRASH_CODE.store(code.into(), Ordering::Relaxed);
    CRASHES.iter().try_for_each(|signal| handle(*signal, SigHandler::Handler(on_crash)))
}

fn handle(signal: Signal, handler: SigHandler) -> io::Result<()> {
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: our handlers only load an atomic and call _exit, which are async-signal-safe.
    unsafe { sigaction(signal, &action) }?;
    Ok(())
}

extern "C" fn on_alarm(_: libc::c_int) {
    // SAFETY: _exit may be called in a signal handler, and does not come back.
    unsafe { libc::_exit(ALARM_CODE.load(Ordering::Relaxed)) }
}

extern "C" fn on_crash(_: libc::c_int) {
    // SAFETY: as in `on_alarm`.
    unsafe { libc::_exit(CRASH_CODE.load(Ordering::Relaxed)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exit, fork};

    #[test]
    fn a_watched_signal_waits_until_it_is_taken() {
        let child = fork(|| {
            let Ok(signals) = Signals::watch(&[Signal::SIGHUP]) else { return 1 };
            if nix::sys::signal::raise(Signal::SIGHUP).is_err() {
                return 2;
            }
            match (signals.take(), signals.take()) {
                (Ok(Some(Signal::SIGHUP)), Ok(None)) => 0,
                _ => 3,
            }
        });
        assert_eq!(child.unwrap().wait().unwrap(), Exit::Code(0));
    }

    #[test]
    fn a_panic_becomes_the_crash_code() {
        let child = fork(|| match exit_on_crash(81) {
            Ok(()) => std::process::abort(),
            Err(_) => 1,
        });
        assert_eq!(child.unwrap().wait().unwrap(), Exit::Code(81));
    }
}
