//! Landlock: files that this process, and what it becomes, can no longer read.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;

const READ_FILE: u64 = 1 << 2;
const BELOW_PATH: libc::c_int = 1;

/// The kernel's `struct landlock_ruleset_attr`, as its first version had it.
#[repr(C)]
struct RulesetAttributes {
    handled_access: u64,
}

/// The kernel's `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
struct BelowPath {
    allowed_access: u64,
    parent: RawFd,
}

/// Which files can still be read once it is enforced; at first none. Files that are open already,
/// and everything but reading, are not concerned.
#[derive(Debug)]
pub struct Readable {
    rules: OwnedFd,
}

impl Readable {
    /// No file at all. `None` if this kernel cannot do that.
    ///
    /// # Errors
    /// If there are no descriptors left, say.
    pub fn nothing() -> io::Result<Option<Self>> {
        let attributes = RulesetAttributes { handled_access: READ_FILE };
        let size = size_of::<RulesetAttributes>();
        // SAFETY: the kernel reads `size` bytes of a struct that lives until it is done.
        let result = unsafe {
            libc::syscall(libc::SYS_landlock_create_ruleset, &raw const attributes, size, 0)
        };
        match descriptor(result) {
            Ok(rules) => Ok(Some(Self { rules })),
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EOPNOTSUPP)) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Adds a file, or all that is below a directory. A symbolic link stands for itself.
    ///
    /// # Errors
    /// If there is no such file.
    pub fn allow(&self, path: &Path) -> io::Result<()> {
        let path = CString::new(path.as_os_str().as_bytes())?;
        let flags = libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC;
        // SAFETY: open reads a string that ends in NUL and that we own.
        let opened = descriptor(unsafe { libc::open(path.as_ptr(), flags) }.into())?;
        let rule = BelowPath { allowed_access: READ_FILE, parent: opened.as_raw_fd() };
        // SAFETY: the kernel reads a struct of this kind that lives until it is done.
        let result = unsafe {
            libc::syscall(
                libc::SYS_landlock_add_rule,
                self.rules.as_raw_fd(),
                BELOW_PATH,
                &raw const rule,
                0,
            )
        };
        check(result)
    }

    /// From now on nothing else can be read, and no set-id program gives anything back.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn enforce(self) -> io::Result<()> {
        // SAFETY: prctl with this option takes numbers and touches no memory.
        check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }.into())?;
        // SAFETY: the call takes two numbers and touches no memory.
        check(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, self.rules.as_raw_fd(), 0) })
    }
}

fn check(result: libc::c_long) -> io::Result<()> {
    if result == -1 { Err(Errno::last().into()) } else { Ok(()) }
}

fn descriptor(result: libc::c_long) -> io::Result<OwnedFd> {
    check(result)?;
    let number = RawFd::try_from(result).map_err(|_| io::ErrorKind::InvalidData)?;
    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// 0 if only what is allowed can be read, and only as before; 77 if the kernel cannot do it.
    fn confined(directory: &Path) -> io::Result<u8> {
        let (open, closed) = (directory.join("open"), directory.join("closed"));
        let Some(readable) = Readable::nothing()? else { return Ok(77) };
        readable.allow(&open)?;
        readable.enforce()?;
        fs::read(open.join("file"))?;
        let refused = fs::read(closed.join("file"))
            .is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied);
        let moved = fs::rename(closed.join("file"), open.join("stolen")).is_ok()
            || fs::hard_link(closed.join("file"), open.join("stolen")).is_ok();
        Ok(u8::from(!refused || moved))
    }

    #[test]
    fn what_is_not_allowed_cannot_be_read_nor_moved_to_where_it_could() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["open", "closed"] {
            fs::create_dir(directory.path().join(name)).unwrap();
            fs::File::create(directory.path().join(name).join("file")).unwrap();
        }
        let child = crate::fork(|| confined(directory.path()).unwrap_or(1)).unwrap();
        let exit = child.wait().unwrap();
        assert!(matches!(exit, crate::Exit::Code(0 | 77)), "{exit:?}");
    }
}
