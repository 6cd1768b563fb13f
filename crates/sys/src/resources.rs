//! What a process may have, and telling a system that has run out from a peer that is at fault.

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Errors of a system that can make no more sockets now, or none of this kind.
const LACKING: &[i32] = &[
    libc::EMFILE,
    libc::ENFILE,
    libc::ENOBUFS,
    libc::ENOMEM,
    libc::EAFNOSUPPORT,
    libc::EPROTONOSUPPORT,
];

/// Whether making a connection failed for want of resources of this host, before the other one was
/// even asked.
pub fn lacks_resources(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|errno| LACKING.contains(&errno))
}

/// Sees to it that this process may have so many files open, as far as it is allowed to; how many it
/// may have. Children may have as many.
pub fn allow_open_files(count: u64) -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 0 };
    let wanted = count.min(hard);
    if wanted > soft && setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_ok() {
        return wanted;
    }
    soft
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files_is_raised_and_never_lowered() {
        let child = crate::fork(|| {
            let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((0, 0));
            let unchanged = allow_open_files(1) == soft;
            let raised = allow_open_files(u64::MAX) == hard;
            let after = getrlimit(Resource::RLIMIT_NOFILE).ok();
            u8::from(!(unchanged && raised && after == Some((hard, hard))))
        });
        assert_eq!(child.unwrap().wait().unwrap(), crate::Exit::Code(0));
    }

    #[test]
    fn a_refused_connection_is_not_a_lack_of_resources() {
        assert!(lacks_resources(&io::Error::from_raw_os_error(libc::EMFILE)));
        assert!(!lacks_resources(&io::Error::from_raw_os_error(libc::ECONNREFUSED)));
        assert!(!lacks_resources(&io::ErrorKind::TimedOut.into()));
    }
}
