//! Questions to name servers, with the answers of qmail's old helpers: hard, soft, or a value.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use qmail_dns::{Exchanger, Failure, Name, Resolver};

use crate::fatal::{PERMANENT, TEMPORARY, give_up, print, printable, printed};

/// A whole command: prints what `find` finds for the first word of its command line.
pub fn answer(find: impl FnOnce(&[u8]) -> Result<Vec<u8>, Trouble>) -> ExitCode {
    let Some(word) = std::env::args_os().nth(1) else { return ExitCode::from(PERMANENT) };
    match find(word.as_bytes()) {
        Ok(found) => printed(print(&found)),
        Err(trouble) => give_up(trouble.text(), trouble.code()),
    }
}

/// Whom we ask.
pub trait Lookup {
    /// The IPv4 addresses of a host.
    fn ipv4(&self, name: &Name) -> Result<Vec<Ipv4Addr>, Failure>;
    /// The IPv6 addresses of a host.
    fn ipv6(&self, name: &Name) -> Result<Vec<Ipv6Addr>, Failure>;
    /// The mail exchangers of a domain.
    fn exchangers(&self, name: &Name) -> Result<Vec<Exchanger>, Failure>;
    /// The names of an address.
    fn names(&self, address: IpAddr) -> Result<Vec<Name>, Failure>;
    /// The texts of a name.
    fn texts(&self, name: &Name) -> Result<Vec<Vec<u8>>, Failure>;
}

impl Lookup for Resolver {
    fn ipv4(&self, name: &Name) -> Result<Vec<Ipv4Addr>, Failure> {
        Resolver::ipv4(self, name)
    }

    fn ipv6(&self, name: &Name) -> Result<Vec<Ipv6Addr>, Failure> {
        Resolver::ipv6(self, name)
    }

    fn exchangers(&self, name: &Name) -> Result<Vec<Exchanger>, Failure> {
        Resolver::exchangers(self, name)
    }

    fn names(&self, address: IpAddr) -> Result<Vec<Name>, Failure> {
        Resolver::names(self, address)
    }

    fn texts(&self, name: &Name) -> Result<Vec<Vec<u8>>, Failure> {
        Resolver::texts(self, name)
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is none.
    Hard,
    /// Nobody could tell.
    Soft,
    /// The host has no address.
    NoAddresses,
}

impl Trouble {
    /// What is said.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Hard => "hard error",
            Self::Soft => "soft error",
            Self::NoAddresses => "no IP addresses",
        }
    }

    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Hard | Self::NoAddresses => PERMANENT,
            Self::Soft => TEMPORARY,
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        if failure.is_hard() { Self::Hard } else { Self::Soft }
    }
}

/// The addresses of a host; an address is its own.
pub fn addresses(lookup: &impl Lookup, host: &[u8]) -> Result<Vec<Ipv4Addr>, Trouble> {
    if let Some(address) = literal(host) {
        return Ok(vec![address]);
    }
    Ok(lookup.ipv4(&Name::parse(host).ok_or(Trouble::Hard)?)?)
}

/// An IPv4 address, if that is what a host is named by.
pub(crate) fn literal(host: &[u8]) -> Option<Ipv4Addr> {
    std::str::from_utf8(host).ok()?.parse().ok()
}

/// The first name of an address.
pub fn pointer(lookup: &impl Lookup, address: IpAddr) -> Result<Name, Trouble> {
    lookup.names(address)?.into_iter().next().ok_or(Trouble::Hard)
}

/// The texts of a name, a line each, in which no byte gives a terminal orders.
pub fn text_lines(lookup: &impl Lookup, name: &[u8]) -> Result<Vec<u8>, Trouble> {
    let texts = lookup.texts(&Name::parse(name).ok_or(Trouble::Hard)?)?;
    let lines = texts.iter().map(|text| [printable(text, b'?').as_slice(), b"\n"].concat());
    Ok(lines.collect::<Vec<_>>().concat())
}

/// The full name of a host that may be known by a short one: of the first of `candidates` that has
/// an address, the name that this address has.
pub fn full_name(lookup: &impl Lookup, candidates: &[Vec<u8>]) -> Result<Name, Trouble> {
    let mut trouble = Trouble::Hard;
    for candidate in candidates {
        match addresses(lookup, candidate) {
            Ok(found) => {
                let first = found.first().ok_or(Trouble::NoAddresses)?;
                return pointer(lookup, (*first).into());
            }
            // A name further down the list could be that of another host.
            Err(Trouble::Soft) => return Err(Trouble::Soft),
            Err(hard) => trouble = hard,
        }
    }
    Err(trouble)
}

/// Where mail for a domain goes: addresses, those to be tried first in front.
pub fn mail_addresses(
    lookup: &impl Lookup,
    domain: &[u8],
) -> Result<Vec<(Ipv4Addr, u16)>, Trouble> {
    if let Some(address) = literal(domain) {
        return Ok(vec![(address, 0)]);
    }
    let name = Name::parse(domain).ok_or(Trouble::Hard)?;
    let mut exchangers = match lookup.exchangers(&name) {
        Ok(exchangers) => exchangers,
        // RFC 5321 §5.1: without an exchanger the host is its own.
        Err(Failure::NoSuchRecord) => vec![Exchanger { preference: 0, name }],
        Err(failure) => return Err(failure.into()),
    };
    exchangers.sort_by_key(|exchanger| exchanger.preference);
    let mut found = Vec::new();
    // RFC 7505 §3: the root takes no mail.
    for exchanger in exchangers.iter().filter(|exchanger| !exchanger.name.is_root()) {
        match lookup.ipv4(&exchanger.name) {
            Ok(addresses) => {
                found.extend(addresses.into_iter().map(|it| (it, exchanger.preference)));
            }
            Err(failure) if failure.is_hard() => {}
            Err(failure) => return Err(failure.into()),
        }
    }
    if found.is_empty() { Err(Trouble::Hard) } else { Ok(found) }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use qmail_dns::Cause;

    /// A few hosts: `a.example`, 192.0.2.1, and its backup; `soft.example` does not answer.
    pub(crate) struct Few;

    const A: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    const B: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
    const C: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 3);
    const A6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    const B6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);

    fn name(text: &str) -> Name {
        Name::parse(text.as_bytes()).unwrap()
    }

    impl Lookup for Few {
        fn ipv4(&self, name: &Name) -> Result<Vec<Ipv4Addr>, Failure> {
            match name.to_string().as_str() {
                "a.example" | "A.Example" => Ok(vec![A]),
                "b.example" => Ok(vec![B]),
                "soft.example" => Err(Failure::Temporary(Cause::TimedOut)),
                "c.example" => Err(Failure::NoSuchRecord),
                _ => Err(Failure::NoSuchName),
            }
        }

        fn ipv6(&self, name: &Name) -> Result<Vec<Ipv6Addr>, Failure> {
            match name.to_string().as_str() {
                "a.example" | "A.Example" => Ok(vec![A6]),
                _ => Err(Failure::NoSuchName),
            }
        }

        fn exchangers(&self, domain: &Name) -> Result<Vec<Exchanger>, Failure> {
            let at = |preference, host| Exchanger { preference, name: name(host) };
            match domain.to_string().as_str() {
                "example" => {
                    Ok(vec![at(20, "b.example"), at(10, "a.example"), at(5, "gone.example")])
                }
                "soft.example" => Err(Failure::Temporary(Cause::TimedOut)),
                "a.example" | "c.example" => Err(Failure::NoSuchRecord),
                _ => Err(Failure::NoSuchName),
            }
        }

        fn names(&self, address: IpAddr) -> Result<Vec<Name>, Failure> {
            match address {
                IpAddr::V4(A | C) => Ok(vec![name("A.Example"), name("other.example")]),
                IpAddr::V6(A6 | B6) => Ok(vec![name("A.Example")]),
                _ => Err(Failure::NoSuchName),
            }
        }

        fn texts(&self, name: &Name) -> Result<Vec<Vec<u8>>, Failure> {
            match name.to_string().as_str() {
                "a.example" => Ok(vec![b"v=spf1 -all".to_vec(), b"a\x1b[2J\n\xe9".to_vec()]),
                "soft.example" => Err(Failure::Temporary(Cause::TimedOut)),
                "b.example" => Err(Failure::NoSuchRecord),
                _ => Err(Failure::NoSuchName),
            }
        }
    }

    #[test]
    fn each_text_is_a_line_without_orders_for_a_terminal() {
        assert_eq!(text_lines(&Few, b"a.example").unwrap(), b"v=spf1 -all\na?[2J??\n");
        assert_eq!(text_lines(&Few, b"b.example"), Err(Trouble::Hard));
        assert_eq!(text_lines(&Few, b"soft.example"), Err(Trouble::Soft));
        assert_eq!(text_lines(&Few, b"a..b"), Err(Trouble::Hard));
    }

    #[test]
    fn hard_and_soft_are_told_apart() {
        assert_eq!(addresses(&Few, b"a.example"), Ok(vec![A]));
        assert_eq!(addresses(&Few, b"192.0.2.9"), Ok(vec![Ipv4Addr::new(192, 0, 2, 9)]));
        assert_eq!(addresses(&Few, b"none.example"), Err(Trouble::Hard));
        assert_eq!(addresses(&Few, b"soft.example"), Err(Trouble::Soft));
        assert_eq!(addresses(&Few, b"a..b"), Err(Trouble::Hard));
        assert_eq!((Trouble::Hard.code(), Trouble::Soft.code()), (100, 111));
    }

    #[test]
    fn a_short_name_is_looked_for_until_nobody_can_tell() {
        let full = |candidates: &[&str]| {
            let candidates: Vec<Vec<u8>> = candidates.iter().map(|it| (*it).into()).collect();
            full_name(&Few, &candidates).map(|name| name.to_string())
        };
        assert_eq!(full(&["gone.example", "a.example"]), Ok("A.Example".into()));
        assert_eq!(full(&["soft.example", "a.example"]), Err(Trouble::Soft));
        assert_eq!(full(&["b.example"]), Err(Trouble::Hard));
        assert_eq!(full(&[]), Err(Trouble::Hard));
    }

    #[test]
    fn mail_goes_to_exchangers_by_preference_or_to_the_host_itself() {
        assert_eq!(mail_addresses(&Few, b"example"), Ok(vec![(A, 10), (B, 20)]));
        assert_eq!(mail_addresses(&Few, b"a.example"), Ok(vec![(A, 0)]));
        assert_eq!(mail_addresses(&Few, b"c.example"), Err(Trouble::Hard));
        assert_eq!(mail_addresses(&Few, b"soft.example"), Err(Trouble::Soft));
    }
}
