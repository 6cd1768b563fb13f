//! The quoted form of an address, for header fields and SMTP: RFC 5321 §4.1.2, as qmail writes it.

/// `address` with its local part quoted if it has to be. Without an `@` all of it is local part.
pub fn quote(address: &[u8]) -> Vec<u8> {
    match crate::split(address) {
        None if address.is_empty() => Vec::new(),
        None => quote_local(address),
        Some((local, host)) => [&quote_local(local), b"@".as_slice(), host].concat(),
    }
}

/// A local part, quoted if it has to be.
pub fn quote_local(local: &[u8]) -> Vec<u8> {
    if !needs_quoting(local) {
        return local.to_vec();
    }
    let mut quoted = Vec::with_capacity(local.len() + 2);
    quoted.push(b'"');
    for byte in local {
        if matches!(byte, b'\r' | b'\n' | b'"' | b'\\') {
            quoted.push(b'\\');
        }
        quoted.push(*byte);
    }
    quoted.push(b'"');
    quoted
}

/// Whether a local part is something else than words joined by single dots.
pub fn needs_quoting(local: &[u8]) -> bool {
    local.split(|byte| *byte == b'.').any(|word| word.is_empty() || !word.iter().all(is_safe))
}

fn is_safe(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_single_dots_stay_as_they_are() {
        assert_eq!(quote(b"joe.x+y@h.example"), b"joe.x+y@h.example");
        assert_eq!(quote(b""), b"");
    }

    #[test]
    fn everything_else_is_quoted() {
        assert_eq!(quote(b"a b@c"), b"\"a b\"@c");
        assert_eq!(quote(b"a..b@c"), b"\"a..b\"@c");
        assert_eq!(quote(b".a@c"), b"\".a\"@c");
        assert_eq!(quote(b"a.@c"), b"\"a.\"@c");
        assert_eq!(quote(b"@c"), b"\"\"@c");
        assert_eq!(quote(b"a\"\\@b"), b"\"a\\\"\\\\\"@b");
        assert_eq!(quote(b"\xe9@b"), b"\"\xe9\"@b");
        assert_eq!(quote(b"no host"), b"\"no host\"");
    }
}
