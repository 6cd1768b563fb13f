//! The two ends of a connection.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

/// Where a connection comes from, and where it came to. IPv4 addresses are IPv4 addresses, also on a
/// socket for both families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    /// This host.
    pub local: SocketAddr,
    /// The other one.
    pub remote: SocketAddr,
}

impl Ends {
    /// Those of a connection that has just been accepted.
    ///
    /// # Errors
    /// Those of getsockname(2).
    pub(crate) fn of(connection: &TcpStream, remote: SocketAddr, door: &Door) -> io::Result<Self> {
        let local = match door.address {
            Some(address) => address,
            None => connection.local_addr()?,
        };
        Ok(Self { local: plain(local), remote: plain(remote) })
    }

    /// The interface behind addresses that only mean something there, by its number.
    pub(crate) fn interface(&self) -> Option<u32> {
        match self.local {
            SocketAddr::V6(address) => Some(address.scope_id()).filter(|number| *number != 0),
            SocketAddr::V4(_) => None,
        }
    }
}

/// What all connections to a listening socket have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door {
    /// Their address here, if it is always the same.
    address: Option<SocketAddr>,
}

impl Door {
    /// That of `listener`.
    pub(crate) fn of(listener: &TcpListener) -> Self {
        let address = listener.local_addr().ok();
        Self { address: address.filter(|address| !address.ip().is_unspecified()) }
    }
}

fn plain(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
        IpAddr::V6(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_addresses_are_shown_as_what_they_are() {
        let mapped = plain("[::ffff:192.0.2.1]:25".parse().unwrap());
        assert_eq!(mapped, "192.0.2.1:25".parse().unwrap());
        let plain = plain("[2001:db8::1]:25".parse().unwrap());
        assert_eq!(plain, "[2001:db8::1]:25".parse().unwrap());
    }

    #[test]
    fn both_kinds_of_doors_know_where_a_connection_came_to() {
        for address in ["127.0.0.1:0", "0.0.0.0:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let door = Door::of(&listener);
            let port = listener.local_addr().unwrap().port();
            let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (connection, remote) = listener.accept().unwrap();
            let ends = Ends::of(&connection, remote, &door).unwrap();
            assert_eq!(ends.local, client.peer_addr().unwrap(), "{address}");
            assert_eq!(ends.remote, client.local_addr().unwrap(), "{address}");
            assert_eq!(ends.interface(), None);
        }
    }

    #[test]
    fn a_link_local_address_has_an_interface() {
        let address = "[fe80::1%3]:25".parse().unwrap();
        let ends = Ends { local: address, remote: address };
        assert_eq!(ends.interface(), Some(3));
    }
}
