//! What std has no call for: masks, FIFOs, and names that reach the disk.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
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

/// Has the system begin to write a file that is to be synced soon, and does not wait for it.
///
/// Two files that are synced one after the other make ext4 write its journal twice. If the second
/// one has begun before, the first sync is for both. A hint: what comes of it shows in the sync.
pub fn begin_writing(file: &File) {
    // SAFETY: sync_file_range takes numbers and touches no memory of ours.
    unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE) };
}

/// Waits until the names in `directory` are on disk.
///
/// Linux file systems other than ext2 with `dirsync` lose a new name at a power failure without it.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
