//! File systems whose journal keeps an order.
//!
//! ext4 and XFS bring names to disk in the order in which they were made and removed: after a power
//! failure none is there, or gone, without all that came before it. And what was written out, and
//! waited for, before a name was made, is there with that name, since lengths and places of files go
//! through the same journal, which flushes the disk first. There, one sync of the last name brings all
//! of it to disk, by one write of the journal, where a sync of each takes a write each. POSIX promises
//! nothing of this: elsewhere everything is synced. docs/durability.md has the whole of it.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;

use nix::sys::stat::{major, minor};
use nix::unistd::{AccessFlags, access};

/// A file system that keeps this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journal {
    device: u64,
}

impl Journal {
    /// That of the file system that `file` is on. None for all others, and where nobody can tell:
    /// it takes `/sys` and `/proc`.
    pub fn of(file: &File) -> Option<Self> {
        let device = file.metadata().ok()?.dev();
        let link = format!("/sys/dev/block/{}:{}", major(device), minor(device));
        let target = fs::read_link(link).ok()?;
        let name = target.file_name()?.to_str()?;
        // ext4's own journal is its inode 8. One on another disk has another name: what was written
        // out here would not be flushed before it. ext2, and ext4 without a journal, have none.
        let is_there = |path: String| access(path.as_str(), AccessFlags::F_OK).is_ok();
        let is_ordered =
            is_there(format!("/proc/fs/jbd2/{name}-8")) || is_there(format!("/sys/fs/xfs/{name}"));
        is_ordered.then_some(Self { device })
    }

    /// Whether `file` is on it, too.
    pub fn has(self, file: &File) -> bool {
        file.metadata().is_ok_and(|metadata| metadata.dev() == self.device)
    }
}

/// Has the system begin to write a file, and does not wait for it. A hint: what comes of it shows when
/// the file is synced or written out.
///
/// Two files that are synced one after the other make ext4 write its journal twice. If the second
/// one has begun before, the first sync is for both.
pub fn begin_writing(file: &File) {
    let _ = sync_range(file, libc::SYNC_FILE_RANGE_WRITE);
}

/// Waits until what is in `file` has been written to its disk, where it may still be in a cache; the
/// file need not have a name or a length there. With a [`Journal`] this is enough before a name.
///
/// # Errors
/// If it could not be written, now or since the last time that anybody asked.
pub fn write_out(file: &File) -> io::Result<()> {
    const ALL: libc::c_uint = libc::SYNC_FILE_RANGE_WAIT_BEFORE
        | libc::SYNC_FILE_RANGE_WRITE
        | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    match sync_range(file, ALL) {
        // A filter of system calls that does not know it.
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => file.sync_all(),
        result => result,
    }
}

/// sync_file_range(2), for the whole file.
fn sync_range(file: &File, flags: libc::c_uint) -> io::Result<()> {
    // SAFETY: sync_file_range takes numbers and touches no memory of ours.
    let result = unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, flags) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_is_not_on_a_disk_keeps_no_order() {
        assert_eq!(Journal::of(&File::open("/proc/version").unwrap()), None);
    }

    #[test]
    fn a_file_is_written_out_wherever_it_is() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"text").unwrap();
        begin_writing(&file);
        write_out(&file).unwrap();
    }

    #[test]
    fn what_cannot_be_written_out_is_an_error() {
        let pipe = crate::pipe().unwrap();
        assert!(write_out(&File::from(pipe.write)).is_err());
    }
}
