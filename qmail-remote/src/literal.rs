//! Addresses written as such, in place of a host name.

use std::net::Ipv4Addr;

/// The address in `d.d.d.d` or `[d.d.d.d]`, if that is all there is.
pub(crate) fn parse(host: &[u8]) -> Option<Ipv4Addr> {
    let bracketed = host.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    let mut numbers = bracketed.unwrap_or(host).split(|byte| *byte == b'.');
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_four_numbers_are_an_address() {
        let address = Some(Ipv4Addr::new(192, 0, 2, 1));
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
}
