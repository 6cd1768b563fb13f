//! The addresses that connections come from, and the names that go with them.

use std::net::IpAddr;

use crate::literal;

/// `control/outgoingip`.
#[derive(Debug, Default)]
pub(crate) struct Sources(Vec<Source>);

#[derive(Debug)]
struct Source {
    /// The host of the senders whom this is for; `None` is everybody.
    domain: Option<Vec<u8>>,
    address: IpAddr,
}

/// A line that has no address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoAddress;

impl Sources {
    /// Reads lines of `address` and `@senderdomain:address`.
    pub(crate) fn parse(lines: &[Vec<u8>]) -> Result<Self, NoAddress> {
        lines.iter().map(|line| Source::parse(line)).collect::<Result<_, _>>().map(Self)
    }

    /// The address that a connection to `target` comes from; `None` leaves it to the system. The
    /// first line that fits counts, those with a domain before those without.
    pub(crate) fn find(&self, sender: &[u8], target: IpAddr) -> Option<IpAddr> {
        let domain = qmail_address::host(sender).unwrap_or_default();
        let fits = |source: &&Source| source.address.is_ipv4() == target.is_ipv4();
        let named = |source: &&Source| {
            source.domain.as_deref().is_some_and(|named| named.eq_ignore_ascii_case(domain))
        };
        let all = || self.0.iter().filter(fits);
        let found = all().find(named).or_else(|| all().find(|source| source.domain.is_none()))?;
        Some(found.address).filter(|address| !address.is_unspecified())
    }
}

impl Source {
    fn parse(line: &[u8]) -> Result<Self, NoAddress> {
        let (domain, address) = match line.strip_prefix(b"@") {
            None => (None, line),
            Some(rest) => {
                let colon = rest.iter().position(|byte| *byte == b':').ok_or(NoAddress)?;
                let (domain, address) = rest.split_at_checked(colon).ok_or(NoAddress)?;
                (Some(domain.to_vec()), address.get(1..).unwrap_or_default())
            }
        };
        Ok(Self { domain, address: address_in(address).ok_or(NoAddress)? })
    }
}

/// `control/helohosts`: lines of `address:name`, IPv6 in brackets.
pub(crate) fn parse_names(lines: &[Vec<u8>]) -> Option<Vec<(IpAddr, Vec<u8>)>> {
    let parse = |line: &Vec<u8>| {
        let colon = match line.iter().position(|byte| *byte == b']') {
            Some(bracket) => bracket + 1,
            None => line.iter().position(|byte| *byte == b':')?,
        };
        let (address, name) = line.split_at_checked(colon)?;
        let name = name.strip_prefix(b":")?;
        Some((address_in(address)?, name.to_vec())).filter(|_| !name.is_empty())
    };
    lines.iter().map(parse).collect()
}

fn address_in(text: &[u8]) -> Option<IpAddr> {
    let plain = std::str::from_utf8(text).ok().and_then(|text| text.trim().parse().ok());
    plain.or_else(|| literal::parse(text).filter(|_| text.starts_with(b"[")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[&str]) -> Vec<Vec<u8>> {
        text.iter().map(|line| line.as_bytes().to_vec()).collect()
    }

    #[test]
    fn each_family_and_each_sender_domain_has_its_address() {
        let text = ["192.0.2.1", "2001:db8::1", "@A.example:192.0.2.2", "@b.example:0.0.0.0"];
        let sources = Sources::parse(&lines(&text)).unwrap();
        let find = |sender: &str, target: &str| {
            sources.find(sender.as_bytes(), target.parse().unwrap()).map(|it| it.to_string())
        };
        assert_eq!(find("x@c.example", "198.51.100.1").unwrap(), "192.0.2.1");
        assert_eq!(find("", "198.51.100.1").unwrap(), "192.0.2.1");
        assert_eq!(find("x@a.EXAMPLE", "198.51.100.1").unwrap(), "192.0.2.2");
        assert_eq!(find("x@a.example", "2001:db8::9").unwrap(), "2001:db8::1");
        assert_eq!(find("x@b.example", "198.51.100.1"), None);
        assert_eq!(Sources::default().find(b"", [9; 4].into()), None);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["x", "@a.example", "@a.example:x", "300.0.0.1"] {
            assert!(Sources::parse(&lines(&[text])).is_err(), "{text}");
        }
    }

    #[test]
    fn names_go_with_addresses() {
        let names = parse_names(&lines(&["192.0.2.1:a.example", "[2001:db8::1]:b.example"]));
        let names = names.unwrap();
        assert_eq!(names[0], ("192.0.2.1".parse().unwrap(), b"a.example".to_vec()));
        assert_eq!(names[1], ("2001:db8::1".parse().unwrap(), b"b.example".to_vec()));
        for text in ["x:y", "192.0.2.1", "192.0.2.1:", "[::1]b"] {
            assert_eq!(parse_names(&lines(&[text])), None, "{text}");
        }
    }
}
