//! Whether a message has been delivered to this address before.

use std::io::{self, Read};

use qmail_core::blocks::Blocks;

/// Whether the header of `message` has this very `line`, byte for byte.
///
/// # Errors
/// If the message cannot be read.
pub fn has_line(message: impl Read, line: &[u8]) -> io::Result<bool> {
    let mut header = Header { line, equal: Some(0) };
    let mut blocks = Blocks::new(message);
    while let Some(block) = blocks.next_block()? {
        if let Some(found) = header.push(block) {
            return Ok(found);
        }
    }
    // A last line that nothing ends is not looked at.
    Ok(false)
}

/// The search for a line in a header that arrives in pieces.
struct Header<'line> {
    /// It ends with its only LF.
    line: &'line [u8],
    /// How far the present line is equal; `None` once it differs.
    equal: Option<usize>,
}

impl Header<'_> {
    /// Whether the header has the line, once that is known.
    fn push(&mut self, block: &[u8]) -> Option<bool> {
        for piece in block.split_inclusive(|byte| *byte == b'\n') {
            if self.equal == Some(0) && piece == b"\n" {
                return Some(false);
            }
            let wanted = self.equal.and_then(|equal| self.line.get(equal..));
            let goes_on = wanted.is_some_and(|wanted| wanted.starts_with(piece));
            self.equal = self.equal.filter(|_| goes_on).map(|equal| equal + piece.len());
            if piece.ends_with(b"\n") {
                if self.equal.is_some() {
                    return Some(true);
                }
                self.equal = Some(0);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] = b"Delivered-To: a@b\n";

    /// The answer, which must not depend on where the message is cut.
    fn found(message: &[u8]) -> bool {
        let whole = has_line(message, LINE).unwrap();
        for cut in 0..message.len() {
            let (first, second) = message.split_at(cut);
            assert_eq!(has_line(first.chain(second), LINE).unwrap(), whole, "cut at {cut}");
        }
        whole
    }

    #[test]
    fn the_line_is_found_anywhere_in_the_header() {
        assert!(found(LINE));
        assert!(found(b"A: b\nDelivered-To: a@b\n\nbody"));
        assert!(found(b"Delivered-To: a@bc\nDelivered-To: a@b\n"));
    }

    #[test]
    fn neither_the_body_nor_other_lines_count() {
        for message in [
            b"A: b\n\nDelivered-To: a@b\n".as_slice(),
            b"\nDelivered-To: a@b\n",
            b"delivered-to: a@b\n\n",
            b"Delivered-To: a@b",
            b"Delivered-To: a@b \n",
            b"X-Delivered-To: a@b\n",
            b"",
        ] {
            assert!(!found(message), "{message:?}");
        }
    }
}
