//! What std has no call for: masks, FIFOs, and names that reach the disk.

use std::fs::File;
use std::io;
use std::path::Path;

use nix::sys::stat::{Mode, umask};

/// `O_NONBLOCK`, for std's `custom_flags`: opening a FIFO or a device does not wait.
pub const OPEN_NONBLOCKING: i32 = libc::O_NONBLOCK;

/// `O_NOFOLLOW`, for std's `custom_flags`: a symbolic link is not opened, but an error.
pub const OPEN_NO_LINK: i32 = libc::O_NOFOLLOW;

/// Sets the file creation mask of this process; `mask` is octal as in umask(2).
pub fn change_mask(mask: u32) {
    umask(Mode::from_bits_truncate(mask));
}

/// Makes a FIFO of mode `mode` (less the mask).
pub fn make_fifo(path: &Path, mode: u32) -> io::Result<()> {
    Ok(nix::unistd::mkfifo(path, Mode::from_bits_truncate(mode))?)
}

/// Waits until the names in `directory` are on disk.
///
/// Linux file systems other than ext2 with `dirsync` lose a new name at a power failure without it.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
