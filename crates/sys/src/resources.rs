//! Telling a system that has run out from a peer that is at fault.

use std::io;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_connection_is_not_a_lack_of_resources() {
        assert!(lacks_resources(&io::Error::from_raw_os_error(libc::EMFILE)));
        assert!(!lacks_resources(&io::Error::from_raw_os_error(libc::ECONNREFUSED)));
        assert!(!lacks_resources(&io::ErrorKind::TimedOut.into()));
    }
}
