//! What others sent, made fit for one line of a log or a reply.

/// `bytes` with a `?` for each that is no visible ASCII character, blanks included.
pub(crate) fn word(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| if byte.is_ascii_graphic() { *byte } else { b'?' }).collect()
}

/// `bytes` with a `?` for each that is no printable ASCII character, up to `limit` bytes.
pub(crate) fn text(bytes: &[u8], limit: usize) -> Vec<u8> {
    let is_printable = |byte: &u8| matches!(byte, b' '..=b'~');
    bytes.iter().take(limit).map(|byte| if is_printable(byte) { *byte } else { b'?' }).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_can_begin_another_line() {
        assert_eq!(super::word(b"a b\n\xe9\0"), b"a?b???");
        assert_eq!(super::text(b"a b\n\xe9cd", 6), b"a b??c");
    }
}
