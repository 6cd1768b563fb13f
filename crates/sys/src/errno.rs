//! Which errors pass by themselves, and qmail's own words for them.

use std::io;

/// Errors that a later attempt may not meet: what fails with one of them is tried again.
const TEMPORARY: &[i32] = &[
    libc::EINTR,
    libc::ENOMEM,
    libc::ETXTBSY,
    libc::EIO,
    libc::ETIMEDOUT,
    libc::EAGAIN,
    libc::EDEADLK,
    libc::EBUSY,
    libc::ENFILE,
    libc::EMFILE,
    libc::EFBIG,
    libc::ENOSPC,
    libc::ENETDOWN,
    libc::ENETUNREACH,
    libc::ENETRESET,
    libc::ECONNABORTED,
    libc::ECONNRESET,
    libc::ENOBUFS,
    libc::ETOOMANYREFS,
    libc::ECONNREFUSED,
    libc::EHOSTDOWN,
    libc::EHOSTUNREACH,
    libc::EUSERS,
    libc::EDQUOT,
    libc::ESTALE,
    libc::ENOLCK,
];

/// qmail's texts, which log readers know: not those of the C library.
const TEXTS: &[(i32, &str)] = &[
    (0, "no error"),
    (libc::EINTR, "interrupted system call"),
    (libc::ENOMEM, "out of memory"),
    (libc::ENOENT, "file does not exist"),
    (libc::ETXTBSY, "text busy"),
    (libc::EIO, "input/output error"),
    (libc::EEXIST, "file already exists"),
    (libc::ETIMEDOUT, "timed out"),
    (libc::EINPROGRESS, "operation in progress"),
    (libc::EAGAIN, "temporary failure"),
    (libc::EPIPE, "broken pipe"),
    (libc::EPERM, "permission denied"),
    (libc::EACCES, "access denied"),
    (libc::ESRCH, "no such process"),
    (libc::ENXIO, "device not configured"),
    (libc::E2BIG, "argument list too long"),
    (libc::ENOEXEC, "exec format error"),
    (libc::EBADF, "file descriptor not open"),
    (libc::ECHILD, "no child processes"),
    (libc::EDEADLK, "operation would cause deadlock"),
    (libc::EFAULT, "bad address"),
    (libc::EBUSY, "device busy"),
    (libc::EXDEV, "cross-device link"),
    (libc::ENODEV, "device does not support operation"),
    (libc::ENOTDIR, "not a directory"),
    (libc::EISDIR, "is a directory"),
    (libc::EINVAL, "invalid argument"),
    (libc::ENFILE, "system cannot open more files"),
    (libc::EMFILE, "process cannot open more files"),
    (libc::ENOTTY, "not a tty"),
    (libc::EFBIG, "file too big"),
    (libc::ENOSPC, "out of disk space"),
    (libc::ESPIPE, "unseekable descriptor"),
    (libc::EROFS, "read-only file system"),
    (libc::EMLINK, "too many links"),
    (libc::ENOTSOCK, "not a socket"),
    (libc::EADDRINUSE, "address already used"),
    (libc::EADDRNOTAVAIL, "address not available"),
    (libc::ENETDOWN, "network down"),
    (libc::ENETUNREACH, "network unreachable"),
    (libc::ECONNABORTED, "connection aborted"),
    (libc::ECONNRESET, "connection reset"),
    (libc::ENOBUFS, "out of buffer space"),
    (libc::ENOTCONN, "not connected"),
    (libc::ECONNREFUSED, "connection refused"),
    (libc::ELOOP, "symbolic link loop"),
    (libc::ENAMETOOLONG, "file name too long"),
    (libc::EHOSTDOWN, "host down"),
    (libc::EHOSTUNREACH, "host unreachable"),
    (libc::ENOTEMPTY, "directory not empty"),
    (libc::EDQUOT, "disk quota exceeded"),
    (libc::ESTALE, "stale NFS file handle"),
    (libc::ENOLCK, "no locks available"),
    (libc::ENOSYS, "system call not available"),
    (libc::EPROTO, "protocol error"),
    (libc::EALREADY, "operation already in progress"),
    (libc::EDESTADDRREQ, "destination address required"),
    (libc::EMSGSIZE, "message too long"),
    (libc::EPROTOTYPE, "incorrect protocol type"),
    (libc::ENOPROTOOPT, "protocol not available"),
    (libc::EPROTONOSUPPORT, "protocol not supported"),
    (libc::ESOCKTNOSUPPORT, "socket type not supported"),
    (libc::EOPNOTSUPP, "operation not supported"),
    (libc::EPFNOSUPPORT, "protocol family not supported"),
    (libc::EAFNOSUPPORT, "address family not supported"),
    (libc::ENETRESET, "network reset"),
    (libc::EISCONN, "already connected"),
    (libc::ESHUTDOWN, "socket shut down"),
    (libc::ETOOMANYREFS, "too many references"),
    (libc::EUSERS, "too many users"),
];

/// Where we have no text for an error.
const UNKNOWN: &str = "unknown error";

/// Whether trying again later may help. An error without an errno is one of our own making, and
/// doubt means later.
pub fn is_temporary(error: &io::Error) -> bool {
    error.raw_os_error().is_none_or(is_temporary_code)
}

pub(crate) fn is_temporary_code(errno: i32) -> bool {
    TEMPORARY.contains(&errno)
}

/// qmail's text for an error, as it stands in bounces and logs.
pub fn text(error: &io::Error) -> &'static str {
    let known = |errno| TEXTS.iter().find(|(code, _)| *code == errno).map(|(_, text)| *text);
    match error.raw_os_error() {
        Some(errno) => known(errno).unwrap_or(UNKNOWN),
        None => text_of_our_own(error.kind()),
    }
}

/// What was found wrong without asking the kernel.
fn text_of_our_own(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::AlreadyExists => "file already exists",
        io::ErrorKind::BrokenPipe => "broken pipe",
        io::ErrorKind::FileTooLarge => "file too big",
        io::ErrorKind::InvalidData => "not in the form it should have",
        io::ErrorKind::InvalidInput => "invalid argument",
        io::ErrorKind::NotFound => "file does not exist",
        io::ErrorKind::PermissionDenied => "access denied",
        io::ErrorKind::TimedOut => "timed out",
        io::ErrorKind::UnexpectedEof => "ended too early",
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_temporary_and_a_missing_file_is_not() {
        assert!(is_temporary(&io::Error::from_raw_os_error(libc::ENOSPC)));
        assert!(!is_temporary(&io::Error::from_raw_os_error(libc::ENOENT)));
    }

    #[test]
    fn texts_are_qmails_own() {
        assert_eq!(text(&io::Error::from_raw_os_error(libc::ENOENT)), "file does not exist");
        let no_family = io::Error::from_raw_os_error(libc::EAFNOSUPPORT);
        assert_eq!(text(&no_family), "address family not supported");
        assert_eq!(text(&io::Error::from_raw_os_error(libc::EOWNERDEAD)), "unknown error");
        assert_eq!(text(&io::ErrorKind::TimedOut.into()), "timed out");
        assert_eq!(text(&io::ErrorKind::InvalidData.into()), "not in the form it should have");
        assert_eq!(text(&io::Error::other("x")), "unknown error");
    }
}
