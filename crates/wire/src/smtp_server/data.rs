//! The message as it comes over the wire after DATA.

use crate::line::text_length;

/// Turns what follows DATA into a message with LF line ends, block by block.
///
/// A line end is CR LF and nothing else. A server that takes a lone LF or CR for one, or lets it
/// pass, helps to smuggle commands to itself or to the next server (CVE-2023-51764 and its kin).
#[derive(Debug, Default)]
pub struct DataDecoder {
    position: Position,
}

/// A CR without LF, or an LF without CR. What follows may be smuggled: it must not be obeyed, so
/// the only thing left to do is to end the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BareLineEnd;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Position {
    #[default]
    LineStart,
    InLine,
    AfterCr,
    AfterDot,
    AfterDotCr,
}

impl DataDecoder {
    /// A decoder at the beginning of a message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the next block to `message`. Once the message has ended, returns how many bytes of
    /// the block belonged to it; the next command follows them.
    ///
    /// # Errors
    /// [`BareLineEnd`]
    pub fn decode(
        &mut self,
        block: &[u8],
        message: &mut Vec<u8>,
    ) -> Result<Option<usize>, BareLineEnd> {
        use Position::{AfterCr, AfterDot, AfterDotCr, InLine, LineStart};
        let mut rest = block;
        while let Some((first, behind)) = rest.split_first() {
            self.position = match (self.position, *first) {
                (AfterDotCr, b'\n') => return Ok(Some(block.len() - behind.len())),
                (AfterCr, b'\n') => {
                    message.push(b'\n');
                    LineStart
                }
                (AfterCr | AfterDotCr, _) | (_, b'\n') => return Err(BareLineEnd),
                (AfterDot, b'\r') => AfterDotCr,
                (LineStart | InLine, b'\r') => AfterCr,
                // RFC 5321 §4.5.2: the sender doubled a leading dot.
                (LineStart, b'.') => AfterDot,
                (LineStart | InLine | AfterDot, _) => {
                    let (text, from_line_end) = rest.split_at(text_length(rest));
                    message.extend_from_slice(text);
                    rest = from_line_end;
                    self.position = InLine;
                    continue;
                }
            };
            rest = behind;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message, and what follows it.
    type Decoded = (Vec<u8>, Vec<u8>);

    /// `None` if the message has not ended.
    fn decode(wire: &[u8], size: usize) -> Result<Option<Decoded>, BareLineEnd> {
        let mut decoder = DataDecoder::new();
        let mut message = Vec::new();
        for (number, block) in wire.chunks(size).enumerate() {
            if let Some(used) = decoder.decode(block, &mut message)? {
                return Ok(Some((message, wire[number * size + used..].to_vec())));
            }
        }
        Ok(None)
    }

    fn message_of(wire: &str) -> Vec<u8> {
        let whole = decode(wire.as_bytes(), wire.len()).unwrap().unwrap();
        for size in 1..wire.len() {
            assert_eq!(
                decode(wire.as_bytes(), size),
                Ok(Some(whole.clone())),
                "{wire:?} by {size}"
            );
        }
        assert_eq!(whole.1, b"");
        whole.0
    }

    #[test]
    fn line_ends_become_lf_and_leading_dots_are_unstuffed() {
        let table = [
            (".\r\n", ""),
            ("a\r\n.\r\n", "a\n"),
            ("\r\n.\r\n", "\n"),
            ("..\r\n.\r\n", ".\n"),
            ("...\r\n.\r\n", "..\n"),
            (".a\r\na.\r\n.\r\n", "a\na.\n"),
            ("a\r\n..b\0\u{e9}\r\n\r\n.\r\n", "a\n.b\0\u{e9}\n\n"),
        ];
        for (wire, message) in table {
            assert_eq!(message_of(wire), message.as_bytes(), "{wire:?}");
        }
    }

    #[test]
    fn long_lines_are_found_to_their_end() {
        for length in [31, 32, 33, 63, 64, 65, 1000] {
            let line = "x".repeat(length);
            let wire = format!("{line}\r\n{line}\r\n.\r\n");
            assert_eq!(message_of(&wire), format!("{line}\n{line}\n").as_bytes());
        }
    }

    #[test]
    fn what_follows_the_message_is_left_alone() {
        let (_, rest) = decode(b"a\r\n.\r\nQUIT\r\n", 100).unwrap().unwrap();
        assert_eq!(rest, b"QUIT\r\n");
    }

    #[test]
    fn a_line_end_that_is_not_cr_lf_is_refused_wherever_it_is() {
        let wires = [
            "\n",
            "a\n",
            "a\r\n\n",
            "a\r\n.\n",
            "a\n.\r\n",
            ".\n",
            ".a\n",
            "a\rb",
            "a\r\r\n",
            "\ra",
            "a\r\n.\rb",
            ".\r.\r\n",
            ".\r\r\n",
            "a\r.\r\n",
        ];
        for wire in wires {
            for size in 1..=wire.len() {
                assert_eq!(decode(wire.as_bytes(), size), Err(BareLineEnd), "{wire:?} by {size}");
            }
        }
    }

    #[test]
    fn a_message_that_is_cut_off_has_not_ended() {
        for wire in ["", "a", "a\r", "a\r\n", "a\r\n.", "a\r\n.\r"] {
            assert_eq!(decode(wire.as_bytes(), 2), Ok(None), "{wire:?}");
        }
    }
}
