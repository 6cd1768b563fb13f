//! Children that borrow our memory for the few calls until they are another program, as after
//! vfork(2).

use std::io;
use std::sync::Mutex;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::unistd::Pid;

use crate::Child;

/// What the child has for its calls: some KiB, and more in a build for debugging.
const STACK: usize = 65_536;

/// Runs `body` in a child while we stand still; it ends with the number that `body` returns, unless
/// that becomes another program.
///
/// `body` is to make only async-signal-safe calls and to change nothing that we see but atomics.
///
/// # Errors
/// Those of clone(2).
pub(crate) fn start(body: impl Fn() -> u8) -> io::Result<Child> {
    let mut stack = take_stack();
    let top = stack.spare_capacity_mut().as_mut_ptr_range().end;
    // What our handlers do is meant for us. The program's mask is set by `body`.
    let before = block_all()?;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the child has a stack of its own, at whose end clone puts what it needs, and we go on
    // only when it has no more use for that, for `body` and for our memory (CLONE_VFORK).
    let child = unsafe {
        libc::clone(run_and_exit_of(&body), top.cast(), flags, (&raw const body).cast_mut().cast())
    };
    let result =
        if child == -1 { Err(Errno::last()) } else { Ok(Child::new(Pid::from_raw(child))) };
    keep_stack(stack);
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None)?;
    Ok(result?)
}

/// The stack of the child before, whose pages need not be had from the kernel again.
static SPARE: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn take_stack() -> Vec<u8> {
    let spare = SPARE.try_lock().map(|mut spare| std::mem::take(&mut *spare)).unwrap_or_default();
    if spare.capacity() >= STACK { spare } else { Vec::with_capacity(STACK) }
}

fn keep_stack(stack: Vec<u8>) {
    if let Ok(mut spare) = SPARE.try_lock() {
        *spare = stack;
    }
}

fn block_all() -> io::Result<SigSet> {
    let mut before = SigSet::empty();
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&SigSet::all()), Some(&mut before))?;
    Ok(before)
}

/// [`run_and_exit`] for the type that a closure has.
fn run_and_exit_of<B: Fn() -> u8>(_: &B) -> extern "C" fn(*mut libc::c_void) -> libc::c_int {
    run_and_exit::<B>
}

/// The life of the child.
extern "C" fn run_and_exit<B: Fn() -> u8>(body: *mut libc::c_void) -> libc::c_int {
    // SAFETY: `start` passes a pointer to a `B`, and does not go on while we run.
    let body = unsafe { &*body.cast::<B>() };
    let code = body();
    // SAFETY: _exit takes a number, runs nothing of our parent's, and does not come back.
    unsafe { libc::_exit(code.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exit;

    #[test]
    fn a_body_that_returns_ends_the_child_and_leaves_us_as_we_were() {
        let before = SigSet::thread_get_mask().unwrap();
        for code in [0, 7, 255] {
            assert_eq!(start(|| code).unwrap().wait().unwrap(), Exit::Code(code));
        }
        assert_eq!(SigSet::thread_get_mask().unwrap(), before);
    }
}
