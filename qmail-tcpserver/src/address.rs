//! The address to listen at.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which families are to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Families {
    /// Whichever the address has.
    Any,
    /// IPv4: `-4`.
    Older,
    /// IPv6: `-6`.
    Newer,
}

/// What the word for a host means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// All addresses of both families.
    Everywhere,
    /// This address, which may stand for all of its family.
    At(IpAddr),
    /// Whatever name servers say.
    Named(Vec<u8>),
    /// An address of a family that is not to be used.
    Nowhere,
}

impl Host {
    /// Reads a word: `0` or nothing, `:0`, an address, which may be in brackets, or a name.
    pub(crate) fn parse(word: &[u8], families: Families) -> Self {
        let address = match word {
            b"" | b"0" if families == Families::Newer => Ipv6Addr::UNSPECIFIED.into(),
            b"" | b"0" => Ipv4Addr::UNSPECIFIED.into(),
            b":0" => match families {
                Families::Any => return Self::Everywhere,
                Families::Older => Ipv4Addr::UNSPECIFIED.into(),
                Families::Newer => Ipv6Addr::UNSPECIFIED.into(),
            },
            _ => match literal(word) {
                Some(address) => address,
                None => return Self::Named(word.to_vec()),
            },
        };
        if families.allow(address) { Self::At(address) } else { Self::Nowhere }
    }
}

impl Families {
    fn allow(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Older => address.is_ipv4(),
            Self::Newer => address.is_ipv6(),
        }
    }
}

fn literal(word: &[u8]) -> Option<IpAddr> {
    let inside = word.strip_prefix(b"[").and_then(|word| word.strip_suffix(b"]"));
    std::str::from_utf8(inside.unwrap_or(word)).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(word: &str, families: Families) -> Host {
        Host::parse(word.as_bytes(), families)
    }

    fn at(address: &str) -> Host {
        Host::At(address.parse().unwrap())
    }

    #[test]
    fn zero_is_all_of_ipv4_and_colon_zero_is_everything() {
        for word in ["", "0", "0.0.0.0", "[0.0.0.0]"] {
            assert_eq!(parse(word, Families::Any), at("0.0.0.0"), "{word}");
            assert_eq!(parse(word, Families::Older), at("0.0.0.0"), "{word}");
        }
        assert_eq!(parse(":0", Families::Any), Host::Everywhere);
        assert_eq!(parse(":0", Families::Older), at("0.0.0.0"));
        for word in ["", "0", ":0", "::", "[::]"] {
            assert_eq!(parse(word, Families::Newer), at("::"), "{word}");
        }
    }

    #[test]
    fn an_address_is_taken_by_its_word() {
        assert_eq!(parse("::", Families::Any), at("::"));
        assert_eq!(parse("192.0.2.1", Families::Any), at("192.0.2.1"));
        assert_eq!(parse("[2001:db8::1]", Families::Newer), at("2001:db8::1"));
        assert_eq!(parse("2001:db8::1", Families::Older), Host::Nowhere);
        assert_eq!(parse("192.0.2.1", Families::Newer), Host::Nowhere);
        for name in ["localhost", "192.0.2", "mail.example", "[x", "1"] {
            assert_eq!(parse(name, Families::Any), Host::Named(name.into()), "{name}");
        }
    }
}
