//! Connecting to a server from a chosen address, with a limit to the wait.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrStorage, sockopt};

use crate::poll::{Interest, poll};

/// Connects to `server`, from `source` if one is given. The stream does not block.
///
/// # Errors
/// [`ErrorKind::TimedOut`] if there was no answer within `timeout`; else what the system says, be
/// it of the server or of `source`.
pub fn connect(
    server: SocketAddr,
    source: Option<IpAddr>,
    timeout: Duration,
) -> io::Result<TcpStream> {
    let family = if server.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket::socket(family, SockType::Stream, flags, None)?;
    if let Some(source) = source {
        let source = SockaddrStorage::from(SocketAddr::new(source, 0));
        socket::bind(socket.as_raw_fd(), &source)?;
    }
    match socket::connect(socket.as_raw_fd(), &SockaddrStorage::from(server)) {
        Ok(()) => {}
        Err(Errno::EINPROGRESS | Errno::EINTR) => wait(&socket, timeout)?,
        Err(error) => return Err(error.into()),
    }
    Ok(TcpStream::from(socket))
}

/// Waits for the end of a connection attempt.
fn wait(socket: &OwnedFd, timeout: Duration) -> io::Result<()> {
    let started = Instant::now();
    loop {
        let left = timeout.saturating_sub(started.elapsed());
        if poll(&mut [Interest::writing(socket.as_fd())], Some(left))? {
            break;
        }
        // A signal ends a poll early, too.
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
    }
    match socket::getsockopt(socket, sockopt::SocketError)? {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_connection_comes_from_the_address_that_was_chosen() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let source = "127.0.0.9".parse().unwrap();
        let stream = connect(server, Some(source), Duration::from_secs(10)).unwrap();
        assert_eq!(stream.local_addr().unwrap().ip(), source);
        assert_eq!(listener.accept().unwrap().1.ip(), source);
    }

    #[test]
    fn a_refusal_is_no_time_out_and_a_foreign_source_is_an_error() {
        let closed = "127.0.0.1:1".parse().unwrap();
        let error = connect(closed, None, Duration::from_secs(10)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let foreign = "192.0.2.1".parse().unwrap();
        let error = connect(closed, Some(foreign), Duration::from_secs(10)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
    }

    #[test]
    fn silence_is_a_time_out() {
        // A listener whose queue is full leaves further connections unanswered.
        let listener = TcpListener::bind("127.0.0.5:0").unwrap();
        let server = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        let error = loop {
            match connect(server, None, Duration::from_millis(200)) {
                Ok(stream) => waiting.push(stream),
                Err(error) => break error,
            }
            assert!(waiting.len() < 10_000, "the queue is never full");
        };
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
}
