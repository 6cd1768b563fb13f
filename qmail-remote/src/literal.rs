//! Addresses written as such, in place of a host name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address in `d.d.d.d`, `[d.d.d.d]`, `[x:x::x]` or `[IPv6:x:x::x]`, if that is all there is.
pub(crate) fn parse(host: &[u8]) -> Option<IpAddr> {
    let bracketed = host.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    let ipv4 = parse_ipv4(bracketed.unwrap_or(host)).map(IpAddr::from);
    ipv4.or_else(|| bracketed.and_then(parse_ipv6).map(IpAddr::from))
}

fn parse_ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    let mut numbers = text.split(|byte| *byte == b'.');
    let mut octets = [0; 4];
    for octet in &mut octets {
        *octet = parse_octet(numbers.next()?)?;
    }
    numbers.next().is_none().then(|| octets.into())
}

// Quirk: numbers count modulo 256, as in netqmail; see `numbers_count_modulo_256` below.
fn parse_octet(digits: &[u8]) -> Option<u8> {
    let (first, rest) = digits.split_first()?;
    rest.iter().try_fold(digit(*first)?, |number, byte| {
        Some(number.wrapping_mul(10).wrapping_add(digit(*byte)?))
    })
}

fn digit(byte: u8) -> Option<u8> {
    byte.is_ascii_digit().then(|| byte - b'0')
}

/// RFC 5321 §4.1.3 wants the tag, control files do without.
fn parse_ipv6(text: &[u8]) -> Option<Ipv6Addr> {
    let tagged = text.split_at_checked(5).filter(|(tag, _)| tag.eq_ignore_ascii_case(b"IPv6:"));
    std::str::from_utf8(tagged.map_or(text, |(_, rest)| rest)).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_four_numbers_are_an_address() {
        let address = Some(IpAddr::from([192, 0, 2, 1]));
        assert_eq!(parse(b"192.0.2.1"), address);
        assert_eq!(parse(b"[192.0.2.1]"), address);
        for host in
            ["", "192.0.2", "192.0.2.1.", "192.0.2.1.5", "192.0..1", "[192.0.2.1", "a.b.c.d"]
        {
            assert_eq!(parse(host.as_bytes()), None, "{host}");
        }
    }

    #[test]
    fn numbers_count_modulo_256() {
        assert_eq!(parse(b"448.256.0258.99999999999999999999"), Some([192, 0, 2, 255].into()));
    }

    #[test]
    fn ipv6_addresses_stand_in_brackets() {
        let address = "2001:db8::1".parse().ok();
        assert_eq!(parse(b"[2001:db8::1]"), address);
        assert_eq!(parse(b"[IPv6:2001:DB8::1]"), address);
        for host in ["2001:db8::1", "[IPv6:]", "[IPv6:192.0.2.1]", "[2001:db8::1%eth0]", "[::g]"] {
            assert_eq!(parse(host.as_bytes()), None, "{host}");
        }
    }
}
