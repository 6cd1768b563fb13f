//! The address in the argument of MAIL and RCPT.

use std::net::Ipv4Addr;

use crate::command::strip_spaces;

/// The address, without brackets, source route and quoting; what follows it is not looked at.
///
/// Takes much that no standard allows, as qmail always has: a lone word, a missing bracket or
/// quote, any word before the colon. Nothing at all is the empty address.
pub fn path(argument: &[u8]) -> Vec<u8> {
    let (rest, terminator) = match split_after(argument, b'<') {
        Some(rest) => (rest, b'>'),
        None => (strip_spaces(split_after(argument, b':').unwrap_or_default()), b' '),
    };
    let rest =
        if rest.starts_with(b"@") { split_after(rest, b':').unwrap_or_default() } else { rest };
    unquote_until(rest, terminator)
}

/// The address that an address literal at the end means: `1.2.3.4` for `joe@[1.2.3.4]`.
pub fn address_literal(address: &[u8]) -> Option<Ipv4Addr> {
    let literal = qmail_address::host(address)?.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let mut parts = literal.split(|byte| *byte == b'.').map(octet);
    let octets = [parts.next()??, parts.next()??, parts.next()??, parts.next()??];
    if parts.next().is_some() { None } else { Some(octets.into()) }
}

/// Leading zeros are allowed, and decimal.
fn octet(digits: &[u8]) -> Option<u8> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u8, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

fn split_after(bytes: &[u8], separator: u8) -> Option<&[u8]> {
    let at = bytes.iter().position(|byte| *byte == separator)?;
    bytes.get(at + 1..)
}

fn unquote_until(bytes: &[u8], terminator: u8) -> Vec<u8> {
    let mut address = Vec::with_capacity(bytes.len());
    let (mut quoted, mut escaped) = (false, false);
    for byte in bytes {
        match *byte {
            byte if escaped => {
                address.push(byte);
                escaped = false;
            }
            byte if byte == terminator && !quoted => break,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            byte => address.push(byte),
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_where_clients_put_them() {
        let table = [
            ("FROM:<joe@here>", "joe@here"),
            ("FROM: <joe@here> SIZE=3", "joe@here"),
            ("joe <jane@here> x", "jane@here"),
            ("TO:  joe@here SIZE=3", "joe@here"),
            (": d@e f", "d@e"),
            ("", ""),
            ("TO", ""),
            ("TO:<>", ""),
            ("TO:<joe@here", "joe@here"),
        ];
        for (argument, address) in table {
            assert_eq!(path(argument.as_bytes()), address.as_bytes(), "{argument:?}");
        }
    }

    #[test]
    fn source_routes_are_dropped() {
        assert_eq!(path(br#"<@a,@b:"a b"@c>"#), b"a b@c");
        assert_eq!(path(b"TO:@a:joe@here"), b"joe@here");
        assert_eq!(path(b"<@a>"), b"");
    }

    #[test]
    fn quotes_and_backslashes_protect() {
        let table = [
            (r#"<a\"b@c>"#, "a\"b@c"),
            (r"<a\>b@c>", "a>b@c"),
            (r#"<"a>b"@c>"#, "a>b@c"),
            (r#"<"a\\b"@c>"#, r"a\b@c"),
            (r#"<"a@c>"#, "a@c>"),
            (r"<a\", "a"),
        ];
        for (argument, address) in table {
            assert_eq!(path(argument.as_bytes()), address.as_bytes(), "{argument:?}");
        }
    }

    #[test]
    fn literals_are_four_numbers_up_to_255() {
        assert_eq!(address_literal(b"a@[127.0.0.01]"), Some(Ipv4Addr::LOCALHOST));
        for address in [
            "a@127.0.0.1",
            "a@[127.0.0.256]",
            "a@[127.0.0]",
            "a@[1.2.3.4.5]",
            "a@[1.2..4]",
            "a@[1.2.3.4",
            "a@[1.2.3.4]x",
            "a@[1.2.3.+4]",
            "[1.2.3.4]",
        ] {
            assert_eq!(address_literal(address.as_bytes()), None, "{address}");
        }
    }
}
