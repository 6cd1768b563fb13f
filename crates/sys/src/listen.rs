//! Listening for connections, and what is to be done to one that has come.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{AsFd, AsRawFd};

use nix::sys::socket::{
    self, AddressFamily, Backlog, MsgFlags, SockFlag, SockType, SockaddrStorage, setsockopt,
    sockopt,
};
use nix::sys::stat::Mode;
use nix::unistd::{dup2_stdin, dup2_stdout};

use crate::fd::check;

/// A socket that listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Where; port 0 is one that is free.
    pub address: SocketAddr,
    /// Whether a socket for all IPv6 addresses takes IPv4 connections as well.
    pub both_families: bool,
    /// How many connections may wait to be accepted.
    pub backlog: u32,
    /// Whether what is written to its connections goes out at once (`TCP_NODELAY`).
    pub at_once: bool,
}

/// Which step failed.
#[derive(Debug)]
pub enum ListenFailure {
    /// There is no such socket.
    Socket(io::Error),
    /// The address is not ours, or taken, or not for us.
    Bind(io::Error),
    /// It cannot listen.
    Listen(io::Error),
}

impl Listen {
    /// Opens it. It is closed on exec, and accepting does not block. Where the kernel has no IPv6, that
    /// for both families is one for IPv4.
    ///
    /// # Errors
    /// Those of socket(2), bind(2) and listen(2).
    pub fn open(self) -> Result<TcpListener, ListenFailure> {
        match self.open_in_its_family() {
            Err(ListenFailure::Socket(error))
                if self.both_families && error.raw_os_error() == Some(libc::EAFNOSUPPORT) =>
            {
                let address = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), self.address.port());
                Self { address, both_families: false, ..self }.open_in_its_family()
            }
            result => result,
        }
    }

    fn open_in_its_family(self) -> Result<TcpListener, ListenFailure> {
        let family =
            if self.address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket::socket(family, SockType::Stream, flags, None)
            .map_err(|errno| ListenFailure::Socket(errno.into()))?;
        let set =
            |result: nix::Result<()>| result.map_err(|errno| ListenFailure::Socket(errno.into()));
        set(setsockopt(&socket, sockopt::ReuseAddr, &true))?;
        if family == AddressFamily::Inet6 {
            set(setsockopt(&socket, sockopt::Ipv6V6Only, &!self.both_families))?;
        }
        if self.at_once {
            // Its connections inherit this: see tcp(7).
            set(setsockopt(&socket, sockopt::TcpNoDelay, &true))?;
        }
        socket::bind(socket.as_raw_fd(), &SockaddrStorage::from(self.address))
            .map_err(|errno| ListenFailure::Bind(errno.into()))?;
        socket::listen(&socket, backlog(self.backlog))
            .map_err(|errno| ListenFailure::Listen(errno.into()))?;
        Ok(TcpListener::from(socket))
    }
}

/// What this C library has no number for is as much as the kernel allows: net.core.somaxconn.
fn backlog(wanted: u32) -> Backlog {
    let known = i32::try_from(wanted).ok().and_then(|wanted| Backlog::new(wanted).ok());
    known.unwrap_or(Backlog::MAXALLOWABLE)
}

/// Has answers of an IPv4 connection take the usual way, and not the one that its client chose by
/// a source route: see ip(7), `IP_OPTIONS`.
pub fn forget_source_route(connection: impl AsFd) -> io::Result<()> {
    let fd = connection.as_fd().as_raw_fd();
    // SAFETY: with a length of 0 the kernel reads nothing from the pointer; `connection` keeps the
    // descriptor open.
    check(unsafe {
        libc::setsockopt(fd, libc::IPPROTO_IP, libc::IP_OPTIONS, std::ptr::null(), 0)
    })?;
    Ok(())
}

/// Writes to a connection that has room for all of `bytes`.
///
/// # Errors
/// `WouldBlock` if it has not, in which case some of them may have been written.
pub fn send_at_once(connection: impl AsFd, bytes: &[u8]) -> io::Result<()> {
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    let count = socket::send(connection.as_fd().as_raw_fd(), bytes, flags)?;
    if count == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
}

/// The name of a network interface, if there is one of this number.
pub fn interface_name(number: u32) -> Option<Vec<u8>> {
    // Nix takes a null pointer for a success, and then the name is empty.
    let name = nix::net::if_::if_indextoname(number).ok()?.into_bytes();
    (!name.is_empty()).then_some(name)
}

/// Lets go of descriptors 0 and 1: they stay taken, by /dev/null.
pub fn release_input_and_output() -> io::Result<()> {
    let flags = nix::fcntl::OFlag::O_RDWR | nix::fcntl::OFlag::O_CLOEXEC;
    let nothing = nix::fcntl::open("/dev/null", flags, Mode::empty())?;
    dup2_stdin(&nothing)?;
    Ok(dup2_stdout(&nothing)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use std::net::TcpStream;

    fn at(address: &str, both_families: bool) -> Listen {
        let address = address.parse().unwrap();
        Listen { address, both_families, backlog: 20, at_once: true }
    }

    fn accepted(listener: &TcpListener) -> TcpStream {
        crate::poll(&mut [crate::Interest::reading(listener.as_fd())], None).unwrap();
        listener.accept().unwrap().0
    }

    #[test]
    fn connections_inherit_what_was_asked_for_and_lose_their_options() {
        let listener = at("127.0.0.1:0", false).open().unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let connection = accepted(&listener);
        assert!(connection.nodelay().unwrap());
        forget_source_route(&connection).unwrap();
        assert!(forget_source_route(std::io::stdin()).is_err());
        send_at_once(&connection, b"hello").unwrap();
        assert!(send_at_once(&connection, &vec![0; 1 << 26]).is_err());
    }

    #[test]
    fn a_socket_for_both_families_takes_both_and_another_does_not() {
        let Ok(listener) = at("[::]:0", true).open() else { return };
        let port = listener.local_addr().unwrap().port();
        let _client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let connection = accepted(&listener);
        assert!(connection.peer_addr().unwrap().ip().to_canonical().is_ipv4());
        forget_source_route(&connection).unwrap();
        let listener = at("[::]:0", false).open().unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
        assert!(TcpStream::connect(("::1", port)).is_ok());
    }

    #[test]
    fn an_address_that_is_taken_cannot_be_bound() {
        let listener = at("127.0.0.1:0", false).open().unwrap();
        let again = Listen { address: listener.local_addr().unwrap(), ..at("127.0.0.1:0", false) };
        assert!(matches!(again.open(), Err(ListenFailure::Bind(_))));
    }

    #[test]
    fn interfaces_have_names() {
        assert_eq!(interface_name(1).unwrap(), b"lo");
        assert_eq!(interface_name(0), None);
    }

    #[test]
    fn a_backlog_is_never_less_than_was_asked_for() {
        assert_eq!(i32::from(backlog(20)), 20);
        assert_eq!(i32::from(backlog(1_000_000)), -1);
        assert_eq!(i32::from(backlog(u32::MAX)), -1);
    }
}
