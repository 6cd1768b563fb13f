//! What a server may want to know about the connection that it serves: tcp-environ(5).

mod request;

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use qmail_core::ident;
use qmail_dns::{Failure, Name, Resolver};

pub use request::Request;

/// A variable, and its value if it is to be set.
pub type Variable = (&'static str, Option<Vec<u8>>);

/// Whom else we may ask about a connection.
pub trait Witness {
    /// The names of an address, as its owner states them.
    fn names(&self, address: IpAddr) -> Result<Vec<Name>, Failure>;
    /// What the other host says about the user who connected to us.
    fn user(&self, local: SocketAddr, remote: SocketAddr) -> Option<Vec<u8>>;
}

/// The name servers, and the other host.
#[derive(Clone, Debug)]
pub struct Network {
    resolver: Resolver,
    ident: Option<Duration>,
}

impl Network {
    /// With a limit to each step, the other host is asked about its user.
    pub fn new(ident: Option<Duration>) -> Self {
        Self { resolver: Resolver::from_system(), ident }
    }
}

impl Witness for Network {
    fn names(&self, address: IpAddr) -> Result<Vec<Name>, Failure> {
        self.resolver.names(address)
    }

    fn user(&self, local: SocketAddr, remote: SocketAddr) -> Option<Vec<u8>> {
        ident::ask(local, remote, ident::PORT, self.ident?).ok()
    }
}

/// Everything that is known about a connection.
///
/// # Errors
/// If it is not a TCP connection, or no longer one.
pub fn describe(connection: &TcpStream, witness: &impl Witness) -> io::Result<Vec<Variable>> {
    let local = plain(connection.local_addr()?);
    let remote = plain(connection.peer_addr()?);
    let text = |text: String| Some(text.into_bytes());
    Ok(vec![
        ("PROTO", text("TCP".to_owned())),
        ("TCPLOCALIP", text(local.ip().to_string())),
        ("TCPLOCALPORT", text(local.port().to_string())),
        ("TCPLOCALHOST", host(witness.names(local.ip()))),
        ("TCPREMOTEIP", text(remote.ip().to_string())),
        ("TCPREMOTEPORT", text(remote.port().to_string())),
        ("TCPREMOTEHOST", host(witness.names(remote.ip()))),
        ("TCPREMOTEINFO", witness.user(local, remote)),
    ])
}

/// A socket for both families shows IPv4 addresses inside IPv6 ones.
fn plain(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
        IpAddr::V6(_) => address,
    }
}

fn host(names: Result<Vec<Name>, Failure>) -> Option<Vec<u8>> {
    match names {
        Ok(names) => names.first().map(|name| name.to_bytes().to_ascii_lowercase()),
        Err(failure) if failure.is_hard() => None,
        Err(_) => Some(b"softdnserror".to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmail_dns::Cause;
    use std::net::TcpListener;

    struct Told(Result<Vec<Name>, Failure>);

    impl Witness for Told {
        fn names(&self, _: IpAddr) -> Result<Vec<Name>, Failure> {
            self.0.clone()
        }

        fn user(&self, _: SocketAddr, _: SocketAddr) -> Option<Vec<u8>> {
            Some(b"joe".to_vec())
        }
    }

    fn variables(listen: &str, names: Result<Vec<Name>, Failure>) -> Vec<Variable> {
        let listener = TcpListener::bind(listen).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        let variables = describe(&server, &Told(names)).unwrap();
        drop(client);
        variables
    }

    fn value(variables: &[Variable], name: &str) -> Option<String> {
        let (_, value) = variables.iter().find(|(known, _)| *known == name).unwrap();
        value.as_ref().map(|value| String::from_utf8_lossy(value).into_owned())
    }

    #[test]
    fn both_ends_are_named_and_names_are_lower_case() {
        let names = vec![Name::parse(b"Host.EXAMPLE").unwrap(), Name::parse(b"other").unwrap()];
        let variables = variables("127.0.0.1:0", Ok(names));
        for end in ["LOCAL", "REMOTE"] {
            assert_eq!(value(&variables, &format!("TCP{end}IP")).unwrap(), "127.0.0.1");
            assert_eq!(value(&variables, &format!("TCP{end}HOST")).unwrap(), "host.example");
            assert!(value(&variables, &format!("TCP{end}PORT")).unwrap().parse::<u16>().is_ok());
        }
        assert_eq!(value(&variables, "PROTO").unwrap(), "TCP");
        assert_eq!(value(&variables, "TCPREMOTEINFO").unwrap(), "joe");
    }

    #[test]
    fn no_name_is_not_the_same_as_not_knowing() {
        let none = variables("127.0.0.1:0", Err(Failure::NoSuchName));
        assert_eq!(value(&none, "TCPREMOTEHOST"), None);
        let unknown = variables("127.0.0.1:0", Err(Failure::Temporary(Cause::TimedOut)));
        assert_eq!(value(&unknown, "TCPREMOTEHOST").unwrap(), "softdnserror");
    }

    #[test]
    fn addresses_may_be_of_the_newer_family() {
        if TcpListener::bind("[::1]:0").is_ok() {
            let variables = variables("[::1]:0", Err(Failure::NoSuchName));
            assert_eq!(value(&variables, "TCPREMOTEIP").unwrap(), "::1");
        }
        let mapped = plain("[::ffff:192.0.2.1]:25".parse().unwrap());
        assert_eq!(mapped, "192.0.2.1:25".parse().unwrap());
    }
}
