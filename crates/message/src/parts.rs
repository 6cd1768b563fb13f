//! The parts of a message as they come by: which lines are contents, and how they are encoded.
//!
//! For quick filters only. What is no MIME, or breaks its rules, is looked at as far as it goes.

/// As much of a line as is kept: RFC 5322 §2.1.1 allows 998 bytes.
const LONGEST: usize = 1000;

const ENCODING: &[u8] = b"content-transfer-encoding:";
const BASE64: &[u8] = b"base64";

/// A line of contents, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'l> {
    /// The line; its first 1000 bytes if it is longer.
    pub text: &'l [u8],
    /// It is the first of its part that is not empty.
    pub is_first: bool,
    /// The header of the part says that it is base64.
    pub is_base64: bool,
}

/// Follows a message that comes in blocks.
#[derive(Clone, Debug)]
pub struct Parts {
    place: Place,
    is_base64: bool,
    line: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the header of the message or of a part.
    Header,
    /// Behind the empty line after that, where the contents begin.
    Start,
    Contents,
}

impl Default for Parts {
    fn default() -> Self {
        Self { place: Place::Header, is_base64: false, line: Vec::new() }
    }
}

impl Parts {
    /// Calls `each` with every line of contents that ends in the next block of the message, which
    /// has LF line ends.
    pub fn look(&mut self, block: &[u8], mut each: impl FnMut(Line<'_>)) {
        let mut pieces = block.split(|byte| *byte == b'\n');
        let last = pieces.next_back().unwrap_or_default();
        for piece in pieces {
            self.extend(piece);
            self.end_line(&mut each);
        }
        self.extend(last);
    }

    fn extend(&mut self, piece: &[u8]) {
        let missing = LONGEST.saturating_sub(self.line.len()).min(piece.len());
        self.line.extend_from_slice(piece.get(..missing).unwrap_or_default());
    }

    fn end_line(&mut self, each: &mut impl FnMut(Line<'_>)) {
        let is_boundary = self.line.starts_with(b"--");
        match self.place {
            _ if is_boundary => self.begin_header(),
            Place::Header if self.line.is_empty() => self.place = Place::Start,
            Place::Header => self.is_base64 |= says_base64(&self.line),
            Place::Start if self.line.is_empty() => {}
            // A message inside the message.
            Place::Start if is_field(&self.line) => {
                self.begin_header();
                self.is_base64 = says_base64(&self.line);
            }
            place => {
                let is_first = place == Place::Start;
                each(Line { text: &self.line, is_first, is_base64: self.is_base64 });
                self.place = Place::Contents;
            }
        }
        self.line.clear();
    }

    fn begin_header(&mut self) {
        self.place = Place::Header;
        self.is_base64 = false;
    }
}

fn says_base64(line: &[u8]) -> bool {
    let starts = |text: &[u8], with: &[u8]| {
        text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    let value = line.get(ENCODING.len()..).unwrap_or_default().trim_ascii_start();
    starts(line, ENCODING) && starts(value, BASE64)
}

fn is_field(line: &[u8]) -> bool {
    let name =
        line.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    name > 0 && line.get(name) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line of contents, with `1` before the first of a part and `b` before base64; the same
    /// whatever the blocks are.
    fn lines(message: &str) -> Vec<String> {
        let seen: Vec<Vec<String>> = [1, 7, 4096]
            .into_iter()
            .map(|size| {
                let (mut parts, mut seen) = (Parts::default(), Vec::new());
                for block in message.as_bytes().chunks(size) {
                    parts.look(block, |line| {
                        let first = if line.is_first { "1" } else { "" };
                        let base64 = if line.is_base64 { "b" } else { "" };
                        seen.push(format!(
                            "{first}{base64} {}",
                            String::from_utf8_lossy(line.text)
                        ));
                    });
                }
                seen
            })
            .collect();
        assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
        seen[0].clone()
    }

    #[test]
    fn each_part_has_its_first_line_and_its_encoding() {
        let message = "Subject: x\n\n\nhello\nworld\n--b\nContent-Type: a/b\n\
                       content-transfer-encoding:  BASE64\n\nTVqQ\nAAMA\n--b\nA: b\n\ntext\n--b--\n";
        assert_eq!(lines(message), ["1 hello", " world", "1b TVqQ", "b AAMA", "1 text"]);
    }

    #[test]
    fn a_message_in_the_message_has_a_header_of_its_own() {
        let message = "A: x\n\n--b\nContent-Type: message/rfc822\n\n\
                       Content-Transfer-Encoding: base64\nFrom: y\n\nTVpQ\n";
        assert_eq!(lines(message), ["1b TVpQ"]);
        assert_eq!(lines("Content-Transfer-Encoding: base64\n\n7bit: x\n\ntext\n"), ["1 text"]);
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let long = format!("A: x\n\n{}\n", "y".repeat(5000));
        assert_eq!(lines(&long)[0].len(), LONGEST + 2);
    }
}
