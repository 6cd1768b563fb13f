//! Questions to the DNS that policies have. Behind a trait, so that tests need no name server.

use std::net::Ipv4Addr;

use qmail_dns::{Failure, Name, Resolver};

/// An answer that is good, or none, or not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer<T> {
    /// There is.
    Yes(T),
    /// There is none, for certain.
    No,
    /// Nobody could tell.
    Unknown,
}

/// Asks the DNS.
pub(crate) trait Dns {
    /// Whether mail to this domain would go anywhere: it has an exchanger, or an address.
    fn takes_mail(&self, domain: &[u8]) -> Answer<()>;
    /// Whether a host has an address.
    fn has_address(&self, host: &[u8]) -> Answer<()>;
    /// The IPv4 addresses of a name.
    fn ipv4(&self, name: &[u8]) -> Answer<Vec<Ipv4Addr>>;
    /// The texts of a name.
    fn texts(&self, name: &[u8]) -> Answer<Vec<Vec<u8>>>;
}

/// The servers that this system asks, looked for when there is a question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemDns;

impl Dns for SystemDns {
    fn takes_mail(&self, domain: &[u8]) -> Answer<()> {
        let Some(name) = Name::parse(domain) else { return Answer::No };
        match Resolver::from_system().exchangers(&name) {
            // RFC 7505: a single exchanger without a name means that there is no mail.
            Ok(found) if found.iter().all(|exchanger| exchanger.name.is_root()) => Answer::No,
            Ok(_) => Answer::Yes(()),
            Err(failure) if failure.is_hard() => self.has_address(domain),
            Err(_) => Answer::Unknown,
        }
    }

    fn has_address(&self, host: &[u8]) -> Answer<()> {
        let Some(name) = Name::parse(host) else { return Answer::No };
        let resolver = Resolver::from_system();
        match resolver.ipv4(&name) {
            Ok(_) => Answer::Yes(()),
            Err(failure) if failure.is_hard() => answer(resolver.ipv6(&name)).map(|_| ()),
            Err(_) => Answer::Unknown,
        }
    }

    fn ipv4(&self, name: &[u8]) -> Answer<Vec<Ipv4Addr>> {
        let Some(name) = Name::parse(name) else { return Answer::No };
        answer(Resolver::from_system().ipv4(&name))
    }

    fn texts(&self, name: &[u8]) -> Answer<Vec<Vec<u8>>> {
        let Some(name) = Name::parse(name) else { return Answer::No };
        answer(Resolver::from_system().texts(&name))
    }
}

impl<T> Answer<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        match self {
            Self::Yes(value) => Answer::Yes(change(value)),
            Self::No => Answer::No,
            Self::Unknown => Answer::Unknown,
        }
    }
}

fn answer<T>(result: Result<T, Failure>) -> Answer<T> {
    match result {
        Ok(value) => Answer::Yes(value),
        Err(failure) if failure.is_hard() => Answer::No,
        Err(_) => Answer::Unknown,
    }
}
