//! System calls, by what they may do to the disk.

use libc::c_long;

/// io_pgetevents(2), for which libc has no name.
const IO_PGETEVENTS: c_long = 333;

/// Where a path begins: the number of the argument with the directory, if there is one, and of the
/// argument with the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathAt {
    /// None: the current directory.
    pub directory: Option<usize>,
    /// The path itself.
    pub path: usize,
}

/// What a call may do to the disk; numbers are those of its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Opens a file, and with these flags makes or empties it.
    Open(PathAt, Flags),
    /// A further name.
    Link(PathAt, PathAt),
    /// One name less.
    Unlink(PathAt),
    /// A file gets another name, and its target goes.
    Rename(PathAt, PathAt),
    /// A directory.
    MakeDirectory(PathAt),
    /// Bytes to descriptor 0, from the buffer 1 of length 2, at offset 3 if so.
    Write {
        /// At an offset of its own.
        positioned: bool,
    },
    /// The same from several buffers.
    WriteVector {
        /// At an offset of its own.
        positioned: bool,
    },
    /// Another length for descriptor 0.
    Resize,
    /// Descriptor 0 to disk.
    Sync,
    /// Descriptor 0 to disk without its length, from 1 on, 2 bytes of it or all, as 3 says.
    WriteOut,
    /// Requests to the kernel, as many as argument 1 says, at argument 2.
    Submit,
    /// What became of them: argument 3.
    Outcomes,
    /// Everything to disk.
    SyncAll,
    /// Changes the disk in a way that the model does not know, if this is watched.
    Unknown(Concern),
    /// Owners, modes, times: no mail depends on them.
    Attributes,
    /// The end of the process.
    Exit,
    /// Nothing of all this.
    Other,
}

/// What a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// The descriptor in this argument.
    Descriptor(usize),
    /// This path.
    Path(PathAt),
    /// A mapping: descriptor 4, if 2 and 3 say that it is written to and shared.
    Mapping,
    /// Who knows.
    Everything,
}

/// Where the flags of an open are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flags {
    /// In this argument.
    Argument(usize),
    /// As creat(2) has them.
    Create,
}

const fn at(directory: usize, path: usize) -> PathAt {
    PathAt { directory: Some(directory), path }
}

const fn here(path: usize) -> PathAt {
    PathAt { directory: None, path }
}

/// What the call with this number may do.
#[must_use]
pub fn form(number: c_long) -> Form {
    match number {
        libc::SYS_open => Form::Open(here(0), Flags::Argument(1)),
        libc::SYS_openat => Form::Open(at(0, 1), Flags::Argument(2)),
        libc::SYS_creat => Form::Open(here(0), Flags::Create),
        libc::SYS_link => Form::Link(here(0), here(1)),
        libc::SYS_linkat => Form::Link(at(0, 1), at(2, 3)),
        libc::SYS_unlink | libc::SYS_rmdir => Form::Unlink(here(0)),
        libc::SYS_unlinkat => Form::Unlink(at(0, 1)),
        libc::SYS_rename => Form::Rename(here(0), here(1)),
        libc::SYS_renameat | libc::SYS_renameat2 => Form::Rename(at(0, 1), at(2, 3)),
        libc::SYS_mkdir => Form::MakeDirectory(here(0)),
        libc::SYS_mkdirat => Form::MakeDirectory(at(0, 1)),
        libc::SYS_write => Form::Write { positioned: false },
        libc::SYS_pwrite64 => Form::Write { positioned: true },
        libc::SYS_writev => Form::WriteVector { positioned: false },
        libc::SYS_pwritev | libc::SYS_pwritev2 => Form::WriteVector { positioned: true },
        libc::SYS_ftruncate => Form::Resize,
        libc::SYS_fsync | libc::SYS_fdatasync => Form::Sync,
        libc::SYS_sync_file_range => Form::WriteOut,
        libc::SYS_io_submit => Form::Submit,
        libc::SYS_io_getevents | IO_PGETEVENTS => Form::Outcomes,
        libc::SYS_sync | libc::SYS_syncfs => Form::SyncAll,
        libc::SYS_fallocate | libc::SYS_sendfile => Form::Unknown(Concern::Descriptor(0)),
        libc::SYS_copy_file_range | libc::SYS_splice => Form::Unknown(Concern::Descriptor(2)),
        libc::SYS_truncate | libc::SYS_mknod => Form::Unknown(Concern::Path(here(0))),
        libc::SYS_mknodat | libc::SYS_openat2 => Form::Unknown(Concern::Path(at(0, 1))),
        libc::SYS_symlink => Form::Unknown(Concern::Path(here(1))),
        libc::SYS_symlinkat => Form::Unknown(Concern::Path(at(1, 2))),
        libc::SYS_mmap => Form::Unknown(Concern::Mapping),
        libc::SYS_io_uring_setup => Form::Unknown(Concern::Everything),
        libc::SYS_chmod
        | libc::SYS_fchmod
        | libc::SYS_fchmodat
        | libc::SYS_chown
        | libc::SYS_fchown
        | libc::SYS_fchownat
        | libc::SYS_utime
        | libc::SYS_utimes
        | libc::SYS_utimensat => Form::Attributes,
        libc::SYS_exit | libc::SYS_exit_group => Form::Exit,
        _ => Form::Other,
    }
}

/// What can fail, and how.
pub type Faults = (&'static str, &'static [i32]);

/// What may become of a file that is to be synced, by whatever call.
pub const FAULTS_OF_SYNC: Faults = ("fsync", &[libc::ENOSPC, libc::EDQUOT, libc::EIO, libc::EINTR]);

/// What may become of bytes that are written out ahead of a name.
pub const FAULTS_OF_WRITING_OUT: Faults =
    ("sync_file_range", &[libc::ENOSPC, libc::EDQUOT, libc::EIO, libc::ENOSYS]);

/// The calls that a fault is tried at, with their names, and which faults each can have.
///
/// Calls that cannot fail, or whose failure no program can notice, are not among them.
#[must_use]
pub fn faults(number: c_long) -> Option<Faults> {
    use libc::{EAGAIN, EDQUOT, EINTR, EIO, EMFILE, ENOMEM, ENOSPC, ENOSYS};
    Some(match number {
        libc::SYS_open | libc::SYS_openat => {
            ("open", &[ENOSPC, EDQUOT, EIO, EMFILE, ENOMEM, EINTR])
        }
        libc::SYS_read | libc::SYS_pread64 | libc::SYS_readv => ("read", &[EIO, EINTR]),
        libc::SYS_write | libc::SYS_writev | libc::SYS_pwrite64 => {
            ("write", &[ENOSPC, EDQUOT, EIO, EINTR])
        }
        libc::SYS_fsync | libc::SYS_fdatasync => FAULTS_OF_SYNC,
        libc::SYS_sync_file_range => FAULTS_OF_WRITING_OUT,
        // None left of those that the whole machine has, or a filter that knows no such calls.
        libc::SYS_io_setup => ("io_setup", &[EAGAIN, ENOMEM, ENOSYS]),
        libc::SYS_io_submit => ("io_submit", &[EAGAIN, ENOMEM, ENOSYS]),
        libc::SYS_io_getevents => ("io_getevents", &[EINTR, ENOSYS]),
        libc::SYS_inotify_init1 => ("inotify_init", &[EMFILE, ENOMEM, ENOSYS]),
        libc::SYS_inotify_add_watch => ("inotify_add_watch", &[ENOSPC, ENOMEM, ENOSYS]),
        libc::SYS_link | libc::SYS_linkat => ("link", &[ENOSPC, EDQUOT, EIO, ENOMEM]),
        libc::SYS_unlink | libc::SYS_unlinkat => ("unlink", &[EIO, ENOMEM]),
        libc::SYS_rename | libc::SYS_renameat | libc::SYS_renameat2 => {
            ("rename", &[ENOSPC, EDQUOT, EIO, ENOMEM])
        }
        libc::SYS_ftruncate => ("ftruncate", &[EIO, EINTR]),
        libc::SYS_stat
        | libc::SYS_lstat
        | libc::SYS_fstat
        | libc::SYS_newfstatat
        | libc::SYS_statx => ("stat", &[EIO, ENOMEM]),
        libc::SYS_readlink | libc::SYS_readlinkat => ("readlink", &[EIO, ENOMEM]),
        libc::SYS_getdents64 => ("getdents", &[EIO, ENOMEM]),
        libc::SYS_chdir | libc::SYS_fchdir => ("chdir", &[EIO, ENOMEM]),
        libc::SYS_pipe | libc::SYS_pipe2 => ("pipe", &[EMFILE, ENOMEM]),
        libc::SYS_socket => ("socket", &[EMFILE, ENOMEM]),
        libc::SYS_clone | libc::SYS_clone3 | libc::SYS_fork | libc::SYS_vfork => {
            ("fork", &[ENOMEM])
        }
        libc::SYS_poll | libc::SYS_ppoll | libc::SYS_select | libc::SYS_pselect6 => {
            ("poll", &[EINTR, ENOMEM])
        }
        libc::SYS_wait4 | libc::SYS_waitid => ("wait", &[EINTR]),
        libc::SYS_flock => ("flock", &[EINTR, ENOMEM]),
        libc::SYS_connect => ("connect", &[EINTR]),
        _ => return None,
    })
}

/// What a fault is called.
#[must_use]
pub fn fault_name(errno: i32) -> &'static str {
    match errno {
        libc::ENOSPC => "ENOSPC",
        libc::EDQUOT => "EDQUOT",
        libc::EIO => "EIO",
        libc::EMFILE => "EMFILE",
        libc::ENOMEM => "ENOMEM",
        libc::EINTR => "EINTR",
        libc::EAGAIN => "EAGAIN",
        libc::ENOSYS => "ENOSYS",
        _ => "another error",
    }
}
