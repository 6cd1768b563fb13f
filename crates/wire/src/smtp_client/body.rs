//! A message as it goes over the wire after DATA.

use crate::line::text_length;

/// Turns a message into what DATA takes, block by block.
///
/// LF, CR LF and a lone CR each become one CR LF, and a dot after any of them is doubled (RFC 5321
/// §4.5.2). So nothing in a message can end DATA early for a server, whatever that server takes
/// for a line end: what follows such an end would be obeyed as commands.
#[derive(Debug, Default)]
pub struct BodyEncoder {
    position: Position,
}

/// The message does not end with a line end, which SMTP cannot express.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartialLastLine;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Position {
    #[default]
    LineStart,
    InLine,
    /// The line has been ended; an LF would only be the rest of that line end.
    AfterCr,
}

impl BodyEncoder {
    /// An encoder at the beginning of a message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the wire form of the next block to `wire`.
    pub fn encode(&mut self, block: &[u8], wire: &mut Vec<u8>) {
        let mut rest = block;
        while let Some((first, after_first)) = rest.split_first() {
            if self.position == Position::AfterCr && *first == b'\n' {
                self.position = Position::LineStart;
                rest = after_first;
                continue;
            }
            if self.position != Position::InLine && *first == b'.' {
                wire.push(b'.');
            }
            rest = self.encode_line(rest, wire);
        }
    }

    /// Appends what is left of a line, and returns what follows it.
    fn encode_line<'b>(&mut self, block: &'b [u8], wire: &mut Vec<u8>) -> &'b [u8] {
        let (line, rest) = block.split_at(text_length(block));
        wire.extend_from_slice(line);
        let Some((end, rest)) = rest.split_first() else {
            self.position = Position::InLine;
            return &[];
        };
        wire.extend_from_slice(b"\r\n");
        self.position = if *end == b'\r' { Position::AfterCr } else { Position::LineStart };
        rest
    }

    /// Appends the dot that ends the message.
    ///
    /// # Errors
    /// If the last line has no end. Nothing is appended then.
    pub fn finish(self, wire: &mut Vec<u8>) -> Result<(), PartialLastLine> {
        if self.position == Position::InLine {
            return Err(PartialLastLine);
        }
        wire.extend_from_slice(b".\r\n");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded_in_blocks(message: &[u8], size: usize) -> Result<Vec<u8>, PartialLastLine> {
        let mut encoder = BodyEncoder::new();
        let mut wire = Vec::new();
        for block in message.chunks(size) {
            encoder.encode(block, &mut wire);
        }
        encoder.finish(&mut wire)?;
        Ok(wire)
    }

    /// However the message is cut into blocks.
    fn encoded(message: &[u8]) -> Result<Vec<u8>, PartialLastLine> {
        let whole = encoded_in_blocks(message, message.len().max(1));
        for size in 1..message.len() {
            assert_eq!(encoded_in_blocks(message, size), whole, "{size}");
        }
        whole
    }

    #[test]
    fn every_kind_of_line_end_becomes_one() {
        assert_eq!(encoded(b"a\n").unwrap(), b"a\r\n.\r\n");
        assert_eq!(encoded(b"a\r\n").unwrap(), b"a\r\n.\r\n");
        assert_eq!(encoded(b"a\rb\n").unwrap(), b"a\r\nb\r\n.\r\n");
        assert_eq!(encoded(b"a\r\r\nb\n").unwrap(), b"a\r\n\r\nb\r\n.\r\n");
        assert_eq!(encoded(b"a\n\r\n\rb\n").unwrap(), b"a\r\n\r\n\r\nb\r\n.\r\n");
        assert_eq!(encoded(b"a\r").unwrap(), b"a\r\n.\r\n");
        assert_eq!(encoded(b"").unwrap(), b".\r\n");
    }

    #[test]
    fn a_dot_is_doubled_after_every_kind_of_line_end() {
        assert_eq!(
            encoded(b".\n.a\r\n.\r.\n..\n").unwrap(),
            b"..\r\n..a\r\n..\r\n..\r\n...\r\n.\r\n"
        );
        assert_eq!(encoded(b"a.\n").unwrap(), b"a.\r\n.\r\n");
        assert_eq!(
            encoded(b"a\r.\r\nMAIL FROM:<>\n").unwrap(),
            b"a\r\n..\r\nMAIL FROM:<>\r\n.\r\n"
        );
    }

    #[test]
    fn a_last_line_without_an_end_cannot_be_sent() {
        assert_eq!(encoded(b"a"), Err(PartialLastLine));
        assert_eq!(encoded(b"a\nb"), Err(PartialLastLine));
        assert_eq!(encoded(b"a\n."), Err(PartialLastLine));
    }

    /// The law behind it all, over every message of up to six of the bytes that matter.
    #[test]
    fn only_the_last_line_is_a_lone_dot_and_cr_lf_come_in_pairs() {
        let alphabet = *b"\r\n.x";
        for length in 0..=6 {
            for number in 0..alphabet.len().pow(length) {
                let message: Vec<u8> =
                    (0..length).map(|digit| alphabet[number >> (2 * digit) & 3]).collect();
                let Ok(wire) = encoded(&message) else { continue };
                let text = wire.strip_suffix(b".\r\n").unwrap();
                let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
                let (last, lines) = lines.split_last().unwrap();
                assert!(last.is_empty(), "{message:?}");
                for line in lines {
                    let line = line.strip_suffix(b"\r").unwrap();
                    assert!(line != b"." && !line.contains(&b'\r'), "{message:?}");
                    assert!(!line.starts_with(b".") || line.starts_with(b".."), "{message:?}");
                }
            }
        }
    }
}
