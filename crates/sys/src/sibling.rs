//! Children that are our parent's: it waits for them as for those that it has made itself.

use std::io;
use std::num::NonZeroUsize;
use std::ptr;

use nix::errno::Errno;

use crate::fork;

/// Far more than any of our programs uses, and little beside what softlimit(8) leaves.
const STACK: usize = 1 << 20;
/// Nothing may be below it: who runs out of stack is to crash.
const GUARD: usize = 1 << 16;

/// Makes such children.
#[derive(Debug)]
pub struct Siblings {
    /// The end of a stack, which each child has a copy of.
    top: NonZeroUsize,
}

impl Siblings {
    /// # Errors
    /// `ENOMEM`, and `Other` if this process has more than one thread: a copy of it might hold a
    /// lock for ever that no thread is left to release.
    pub fn new() -> io::Result<Self> {
        fork::alone()?;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
        // SAFETY: a new mapping, wherever there is room, takes nothing from anybody.
        let start =
            unsafe { libc::mmap(ptr::null_mut(), GUARD + STACK, libc::PROT_NONE, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let stack = start.wrapping_byte_add(GUARD);
        // SAFETY: the mapping is ours, and there is nothing in it yet.
        crate::fd::check(unsafe { libc::mprotect(stack, STACK, access) })?;
        let top = stack.wrapping_byte_add(STACK).expose_provenance();
        let top = NonZeroUsize::new(top).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { top })
    }

    /// Runs `body` in a copy of this process, whose parent is ours and hears of its end as it would
    /// of ours. The child ends with the number that `body` returns, as if that were `main`'s.
    /// Returns its process id.
    ///
    /// # Errors
    /// Those of clone(2).
    pub fn fork(&self, body: impl FnOnce() -> u8) -> io::Result<u32> {
        let mut body = Some(body);
        let top = ptr::with_exposed_provenance_mut(self.top.get());
        let flags = libc::CLONE_PARENT | libc::SIGCHLD;
        // SAFETY: the child has memory of its own (no CLONE_VM), in which the stack is in nobody's
        // use and ends in a guard, and there is no other thread whose locks it could inherit.
        let child = unsafe { libc::clone(life_of(&body), top, flags, (&raw mut body).cast()) };
        u32::try_from(child).map_err(|_| Errno::last().into())
    }
}

/// [`life`] for the type that a closure has.
fn life_of<B: FnOnce() -> u8>(_: &Option<B>) -> extern "C" fn(*mut libc::c_void) -> libc::c_int {
    life::<B>
}

extern "C" fn life<B: FnOnce() -> u8>(body: *mut libc::c_void) -> libc::c_int {
    // SAFETY: `fork` passes a pointer to an `Option<B>`, of which this process has a copy of its own.
    let body = unsafe { &mut *body.cast::<Option<B>>() };
    let code = body.take().map_or(111, |body| body());
    #[expect(clippy::exit, reason = "it ends as `main` does: what was written is flushed")]
    std::process::exit(code.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exit;
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;

    #[test]
    fn a_sibling_is_our_parents_child() {
        let pipe = crate::pipe().unwrap();
        let write = pipe.write.as_fd();
        let child = crate::fork(|| {
            let Ok(siblings) = Siblings::new() else { return 1 };
            for code in [7, 8] {
                let Ok(id) = siblings.fork(|| code) else { return 2 };
                let mut write = File::from(write.try_clone_to_owned().unwrap());
                write.write_all(&id.to_le_bytes()).unwrap();
            }
            0
        });
        assert_eq!(child.unwrap().wait().unwrap(), Exit::Code(0));
        drop(pipe.write);
        let mut read = File::from(pipe.read);
        for code in [7, 8] {
            let mut id = [0; 4];
            read.read_exact(&mut id).unwrap();
            let id = i32::from_le_bytes(id);
            let sibling = crate::Child::new(nix::unistd::Pid::from_raw(id));
            assert_eq!(sibling.wait().unwrap(), Exit::Code(code));
        }
    }

    #[test]
    fn what_the_body_holds_is_let_go_here_and_used_there() {
        let pipe = crate::pipe().unwrap();
        let child = crate::fork(|| {
            let Ok(siblings) = Siblings::new() else { return 1 };
            let mut write = File::from(pipe.write);
            let said = siblings.fork(move || u8::from(write.write_all(b"here").is_err()));
            u8::from(said.is_err())
        });
        assert_eq!(child.unwrap().wait().unwrap(), Exit::Code(0));
    }
}
