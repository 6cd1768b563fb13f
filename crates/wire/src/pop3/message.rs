//! A message as RETR and TOP send it.

/// Turns a message from a maildir into what goes over the wire, block by block: LF becomes CR LF,
/// and a leading dot is doubled.
///
/// Lines that end in CR LF already are not given another CR.
#[derive(Debug)]
pub struct MessageEncoder {
    in_header: bool,
    /// Nothing of the present line has been sent.
    at_line_start: bool,
    /// A CR that is sent only if something else than LF follows it.
    held_cr: bool,
    /// Lines of the body that may still be sent; `None` for all of them.
    lines_left: Option<usize>,
}

impl MessageEncoder {
    /// An encoder at the beginning of a message, of whose body it sends so many lines (`None`: all).
    pub fn new(body_lines: Option<usize>) -> Self {
        Self { in_header: true, at_line_start: true, held_cr: false, lines_left: body_lines }
    }

    /// Appends the wire form of the next block. Returns whether it wants more of the message.
    pub fn encode(&mut self, block: &[u8], wire: &mut Vec<u8>) -> bool {
        let mut lines = block.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = lines.next() {
            if self.has_enough() {
                return false;
            }
            self.encode_part(part, wire);
            // What follows the last LF is a line that the next block may go on with.
            if lines.peek().is_some() {
                self.end_line(wire);
            }
        }
        !self.has_enough()
    }

    /// Appends what ends the message.
    ///
    /// Quirk: an empty line comes before the dot, as it always has, because digests of messages
    /// that clients keep depend on it.
    pub fn finish(mut self, wire: &mut Vec<u8>) {
        if !self.at_line_start || self.held_cr {
            self.end_line(wire);
        }
        wire.extend_from_slice(b"\r\n.\r\n");
    }

    fn has_enough(&self) -> bool {
        self.at_line_start && !self.in_header && self.lines_left == Some(0)
    }

    fn encode_part(&mut self, part: &[u8], wire: &mut Vec<u8>) {
        if part.is_empty() {
            return;
        }
        if self.held_cr {
            wire.push(b'\r');
            self.at_line_start = false;
        }
        self.held_cr = part.ends_with(b"\r");
        let text = part.strip_suffix(b"\r").unwrap_or(part);
        if self.at_line_start && text.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(text);
        self.at_line_start = self.at_line_start && text.is_empty();
    }

    fn end_line(&mut self, wire: &mut Vec<u8>) {
        wire.extend_from_slice(b"\r\n");
        self.held_cr = false;
        if !self.in_header {
            self.lines_left = self.lines_left.map(|left| left.saturating_sub(1));
        } else if self.at_line_start {
            self.in_header = false;
        }
        self.at_line_start = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(message: &str, lines: Option<usize>) -> String {
        let by = |size: usize| {
            let mut encoder = MessageEncoder::new(lines);
            let mut wire = Vec::new();
            for block in message.as_bytes().chunks(size) {
                if !encoder.encode(block, &mut wire) {
                    break;
                }
            }
            encoder.finish(&mut wire);
            String::from_utf8(wire).unwrap()
        };
        let whole = by(message.len().max(1));
        for size in 1..=message.len() {
            assert_eq!(by(size), whole, "{message:?} in blocks of {size}");
        }
        whole
    }

    #[test]
    fn lines_get_crlf_and_leading_dots_are_doubled() {
        let table = [
            ("", "\r\n.\r\n"),
            ("a\n\nb\n", "a\r\n\r\nb\r\n\r\n.\r\n"),
            (".\n", "..\r\n\r\n.\r\n"),
            ("..a\n.b", "...a\r\n..b\r\n\r\n.\r\n"),
            ("a.\n", "a.\r\n\r\n.\r\n"),
        ];
        for (message, wire) in table {
            assert_eq!(encode(message, None), wire, "{message:?}");
        }
    }

    #[test]
    fn a_carriage_return_before_the_line_end_is_not_doubled() {
        let table = [
            ("a\r\n\r\n.\r\n", "a\r\n\r\n..\r\n\r\n.\r\n"),
            ("a\r\r\n", "a\r\r\n\r\n.\r\n"),
            ("a\rb\n", "a\rb\r\n\r\n.\r\n"),
            ("\r.\n", "\r.\r\n\r\n.\r\n"),
            ("a\r", "a\r\n\r\n.\r\n"),
            ("\r", "\r\n\r\n.\r\n"),
        ];
        for (message, wire) in table {
            assert_eq!(encode(message, None), wire, "{message:?}");
        }
    }

    #[test]
    fn top_sends_the_header_and_so_many_lines() {
        let message = "H: x\nI: y\n\none\n\nthree\n";
        assert_eq!(encode(message, Some(0)), "H: x\r\nI: y\r\n\r\n\r\n.\r\n");
        assert_eq!(encode(message, Some(1)), "H: x\r\nI: y\r\n\r\none\r\n\r\n.\r\n");
        assert_eq!(encode(message, Some(2)), "H: x\r\nI: y\r\n\r\none\r\n\r\n\r\n.\r\n");
        assert_eq!(encode(message, Some(9)), encode(message, None));
        assert_eq!(encode("H: x\r\n\r\none\r\n", Some(0)), "H: x\r\n\r\n\r\n.\r\n");
        assert_eq!(encode("H: x", Some(0)), "H: x\r\n\r\n.\r\n");
    }
}
