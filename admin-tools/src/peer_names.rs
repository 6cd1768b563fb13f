//! Names of addresses and addresses of names, as tcpserver(1) has always taken them.

use std::net::IpAddr;

use qmail_core::options::{Given, Options};
use qmail_dns::Name;

use crate::names::{Lookup, Trouble, literal, pointer};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// The name of an address.
    Name(IpAddr),
    /// The same, but only if that name has the address.
    ConfirmedName(IpAddr),
    /// The first address of a host, of the families that are named.
    Address {
        /// Its name, which may be a short one.
        host: Vec<u8>,
        /// IPv4, before IPv6.
        older: bool,
        /// IPv6.
        newer: bool,
    },
}

impl Question {
    /// Reads a whole command line: `[-p] address`, or `-4`, `-6` or both, and a host.
    pub fn parse(words: impl IntoIterator<Item = std::ffi::OsString>) -> Option<Self> {
        let mut options = Options::new(b"p46", words);
        let (mut confirmed, mut older, mut newer) = (false, false, false);
        while let Some(option) = options.next_option().ok()? {
            match option {
                Given::Letter(b'p') => confirmed = true,
                Given::Letter(b'4') => older = true,
                _ => newer = true,
            }
        }
        let word = options.operands().into_iter().next()?;
        if older || newer {
            return Some(Self::Address { host: word, older, newer });
        }
        let address = std::str::from_utf8(&word).ok()?.parse().ok()?;
        Some(if confirmed { Self::ConfirmedName(address) } else { Self::Name(address) })
    }

    /// The line that answers it. `candidates` are the full names that a host may mean.
    pub fn answer(
        &self,
        lookup: &impl Lookup,
        candidates: impl FnOnce(&[u8]) -> Vec<Vec<u8>>,
    ) -> Result<Vec<u8>, Trouble> {
        match self {
            Self::Name(address) => Ok(plain(&pointer(lookup, *address)?)),
            Self::ConfirmedName(address) => confirmed(lookup, *address),
            Self::Address { host, older, newer } => {
                let address = first_address(lookup, &candidates(host), *older, *newer)?;
                Ok(address.to_string().into_bytes())
            }
        }
    }
}

fn confirmed(lookup: &impl Lookup, address: IpAddr) -> Result<Vec<u8>, Trouble> {
    let name = pointer(lookup, address)?;
    let has_it = match address {
        IpAddr::V4(address) => lookup.ipv4(&name)?.contains(&address),
        IpAddr::V6(address) => lookup.ipv6(&name)?.contains(&address),
    };
    if has_it { Ok(plain(&name)) } else { Err(Trouble::Hard) }
}

/// The first address of the first candidate that has one.
fn first_address(
    lookup: &impl Lookup,
    candidates: &[Vec<u8>],
    older: bool,
    newer: bool,
) -> Result<IpAddr, Trouble> {
    let mut trouble = Trouble::Hard;
    for candidate in candidates {
        if let Some(address) = literal(candidate).filter(|_| older) {
            return Ok(address.into());
        }
        let Some(name) = Name::parse(candidate) else { continue };
        let older =
            older.then(|| lookup.ipv4(&name).map(|found| found.first().map(|it| (*it).into())));
        let newer =
            || newer.then(|| lookup.ipv6(&name).map(|found| found.first().map(|it| (*it).into())));
        for found in older.into_iter().chain(std::iter::once_with(newer).flatten()) {
            match found {
                Ok(Some(address)) => return Ok(address),
                Ok(None) => {}
                // A name further down the list could be that of another host.
                Err(failure) if !failure.is_hard() => return Err(Trouble::Soft),
                Err(failure) => trouble = failure.into(),
            }
        }
    }
    Err(trouble)
}

/// A name in lower case, in which whatever is no letter, digit, hyphen or underscore is written in
/// octal: no shell that sees it unquoted obeys it.
fn plain(name: &Name) -> Vec<u8> {
    let mut plain = Vec::new();
    let bytes = name.to_bytes();
    let mut rest = bytes.iter().copied();
    while let Some(byte) = rest.next() {
        let (byte, is_dot) =
            if byte == b'\\' { (escaped(&mut rest), false) } else { (byte, byte == b'.') };
        match byte.to_ascii_lowercase() {
            byte @ (b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_') => plain.push(byte),
            b'.' if is_dot => plain.push(b'.'),
            byte => plain.extend(format!("\\{byte:03o}").into_bytes()),
        }
    }
    plain
}

/// What a name says behind a backslash: three digits, or the byte itself.
fn escaped(rest: &mut impl Iterator<Item = u8>) -> u8 {
    let digit = |byte: u8| u16::from(byte.saturating_sub(b'0'));
    match rest.next() {
        Some(first) if first.is_ascii_digit() => {
            let number = rest.take(2).fold(digit(first), |number, byte| number * 10 + digit(byte));
            u8::try_from(number).unwrap_or(b'?')
        }
        byte => byte.unwrap_or(b'?'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::tests::Few;

    fn answer(words: &[&str]) -> Result<String, Trouble> {
        let question = Question::parse(["tcp-name"].iter().chain(words).map(Into::into));
        let candidates = |host: &[u8]| {
            vec![[host, b".nowhere"].concat(), [host, b".example"].concat(), host.to_vec()]
        };
        let answer = question.ok_or(Trouble::NoAddresses)?.answer(&Few, candidates)?;
        Ok(String::from_utf8(answer).unwrap())
    }

    #[test]
    fn a_name_is_in_lower_case_and_may_have_to_have_the_address() {
        assert_eq!(answer(&["192.0.2.1"]), Ok("a.example".into()));
        assert_eq!(answer(&["-p", "192.0.2.1"]), Ok("a.example".into()));
        assert_eq!(answer(&["192.0.2.3"]), Ok("a.example".into()));
        assert_eq!(answer(&["-p", "192.0.2.3"]), Err(Trouble::Hard));
        assert_eq!(answer(&["192.0.2.9"]), Err(Trouble::Hard));
        assert_eq!(answer(&["-p", "2001:db8::1"]), Ok("a.example".into()));
        assert_eq!(answer(&["-p", "2001:db8::2"]), Err(Trouble::Hard));
    }

    #[test]
    fn a_host_has_the_first_address_of_the_families_that_count() {
        assert_eq!(answer(&["-4", "a"]), Ok("192.0.2.1".into()));
        assert_eq!(answer(&["-46", "a"]), Ok("192.0.2.1".into()));
        assert_eq!(answer(&["-6", "a"]), Ok("2001:db8::1".into()));
        assert_eq!(answer(&["-46", "c"]), Err(Trouble::Hard));
        assert_eq!(answer(&["-4", "soft"]), Err(Trouble::Soft));
        assert_eq!(answer(&["-6", "b"]), Err(Trouble::Hard));
    }

    #[test]
    fn a_question_needs_an_address_or_a_family_and_a_host() {
        for words in [&[][..], &["a.example"], &["-x", "192.0.2.1"], &["-4"]] {
            assert_eq!(answer(words), Err(Trouble::NoAddresses), "{words:?}");
        }
    }

    #[test]
    fn no_shell_obeys_a_name() {
        let shown = |name: &[u8]| String::from_utf8(plain(&Name::parse(name).unwrap())).unwrap();
        assert_eq!(shown(b"Mail-1.Example_X"), "mail-1.example_x");
        assert_eq!(shown(b"a$(b)\x07\xff*.example"), "a\\044\\050b\\051\\007\\377\\052.example");
        assert_eq!(shown(b"a\\b/c.x"), "a\\134b\\057c.x");
    }
}
