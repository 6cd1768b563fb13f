//! Lines of messages, searched for fast.

/// How many bytes come before the first CR or LF.
pub(crate) fn text_length(bytes: &[u8]) -> usize {
    let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    // Without an early end inside a chunk, the compiler looks at all its bytes at once.
    let (chunks, _) = bytes.as_chunks::<32>();
    let has_none =
        |chunk: &&[u8; 32]| !chunk.iter().fold(false, |found, byte| found | is_line_end(byte));
    let skipped = chunks.iter().take_while(has_none).count() * 32;
    let rest = bytes.get(skipped..).unwrap_or_default();
    skipped + rest.iter().position(is_line_end).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_ends_at_the_first_line_end() {
        for end in [b'\r', b'\n'] {
            for length in 0..100 {
                let mut bytes = vec![b'x'; length];
                assert_eq!(text_length(&bytes), length);
                bytes.extend([end, b'x', b'\r', b'\n']);
                assert_eq!(text_length(&bytes), length);
            }
        }
    }
}
