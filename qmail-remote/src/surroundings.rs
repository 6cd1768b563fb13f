//! What the program asks the rest of the world.

use std::cell::OnceCell;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{SystemTime, UNIX_EPOCH};

use qmail_dns::{Exchanger, Failure, Name, Resolver};

/// The rest of the world: a test has its own.
pub trait Surroundings {
    /// The mail exchangers of a domain.
    ///
    /// # Errors
    /// See [`Failure`].
    fn exchangers(&self, name: &Name) -> Result<Vec<Exchanger>, Failure>;

    /// The IPv4 addresses of a host.
    ///
    /// # Errors
    /// See [`Failure`].
    fn ipv4(&self, name: &Name) -> Result<Vec<Ipv4Addr>, Failure>;

    /// The IPv6 addresses of a host.
    ///
    /// # Errors
    /// See [`Failure`].
    fn ipv6(&self, name: &Name) -> Result<Vec<Ipv6Addr>, Failure>;

    /// The addresses of this host.
    ///
    /// # Errors
    /// If the system cannot list them.
    fn own_addresses(&self) -> io::Result<Vec<IpAddr>>;

    /// A number below `limit` that nobody can guess.
    fn random_below(&self, limit: usize) -> usize;

    /// Seconds since 1970.
    fn now(&self) -> u64;

    /// The id of this process.
    fn process(&self) -> u32;
}

/// The real world.
#[derive(Debug, Default)]
pub struct System {
    /// Set up when it is first asked: a relay given by its address needs none.
    resolver: OnceCell<Resolver>,
}

impl System {
    /// The real world, not asked anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn resolver(&self) -> &Resolver {
        self.resolver.get_or_init(Resolver::from_system)
    }
}

impl Surroundings for System {
    fn exchangers(&self, name: &Name) -> Result<Vec<Exchanger>, Failure> {
        self.resolver().exchangers(name)
    }

    fn ipv4(&self, name: &Name) -> Result<Vec<Ipv4Addr>, Failure> {
        self.resolver().ipv4(name)
    }

    fn ipv6(&self, name: &Name) -> Result<Vec<Ipv6Addr>, Failure> {
        self.resolver().ipv6(name)
    }

    fn own_addresses(&self) -> io::Result<Vec<IpAddr>> {
        qmail_sys::interface_addresses()
    }

    fn random_below(&self, limit: usize) -> usize {
        qmail_dns::random_below(limit)
    }

    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
    }

    fn process(&self) -> u32 {
        std::process::id()
    }
}
