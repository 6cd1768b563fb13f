//! Replies of an SMTP server: strict, and bounded however much it talks.

/// Bytes of a reply that are kept for the report.
const MOST_TEXT: usize = 5000;
/// Lines of one reply; a server with more to say is not answering us.
const MOST_LINES: usize = 1000;
/// Bytes of one reply.
const MOST_BYTES: usize = 65536;

/// A reply of one or several lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: Option<u16>,
    text: Vec<u8>,
}

/// What a reply means, by the first digit of its code: RFC 5321 §4.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 2yz: done.
    Success,
    /// 3yz: go on.
    Intermediate,
    /// 4yz: not now.
    Temporary,
    /// 5yz: no.
    Permanent,
    /// Anything else. Nobody knows what the server means, so it is no verdict.
    Unknown,
}

/// A reply longer than any that makes sense. The conversation is over: what follows would be taken
/// for the answer to something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl Reply {
    /// The code; `None` if the server did not write one, or lines contradicted each other.
    pub fn code(&self) -> Option<u16> {
        self.code
    }

    /// What the code means.
    pub fn class(&self) -> Class {
        match self.code {
            Some(200..=299) => Class::Success,
            Some(300..=399) => Class::Intermediate,
            Some(400..=499) => Class::Temporary,
            Some(500..=599) => Class::Permanent,
            _ => Class::Unknown,
        }
    }

    /// What the server said, codes included: lines end with LF, the first 5000 bytes.
    pub fn text(&self) -> &[u8] {
        &self.text
    }
}

/// Collects a reply from what arrives. After a reply is complete, it is ready for the next one.
#[derive(Debug, Default)]
pub struct ReplyParser {
    text: Vec<u8>,
    /// The first bytes of the current line: code and separator.
    prefix: Vec<u8>,
    /// The code of the first line, and whether all lines agree with it.
    code: Option<Option<u16>>,
    lines: usize,
    bytes: usize,
}

impl ReplyParser {
    /// A parser at the beginning of a reply.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes from the front of `input` until a reply is complete; `None` if more are needed.
    ///
    /// # Errors
    /// If the reply is too long. Nothing that follows can be trusted.
    pub fn feed(&mut self, input: &mut &[u8]) -> Result<Option<Reply>, TooLong> {
        while let Some((byte, rest)) = input.split_first() {
            *input = rest;
            self.bytes += 1;
            if self.bytes > MOST_BYTES {
                return Err(TooLong);
            }
            if *byte != b'\r' && self.text.len() < MOST_TEXT {
                self.text.push(*byte);
            }
            if *byte != b'\n' {
                if self.prefix.len() < 4 {
                    self.prefix.push(*byte);
                }
                continue;
            }
            self.lines += 1;
            if !self.end_line() {
                return Ok(Some(self.take()));
            }
            if self.lines >= MOST_LINES {
                return Err(TooLong);
            }
        }
        Ok(None)
    }

    /// Judges a line by its first four bytes, and says whether another one follows.
    fn end_line(&mut self) -> bool {
        let code = parse_code(&self.prefix);
        let first = *self.code.get_or_insert(code);
        if code.map(class_digit) != first.map(class_digit) {
            self.code = Some(None);
        }
        let continues = self.prefix.get(3) == Some(&b'-');
        self.prefix.clear();
        continues
    }

    fn take(&mut self) -> Reply {
        let Self { mut text, code, .. } = std::mem::take(self);
        if text.last() != Some(&b'\n') {
            text.push(b'\n');
        }
        Reply { code: code.flatten(), text }
    }
}

/// Three digits that are not the beginning of a longer number.
fn parse_code(prefix: &[u8]) -> Option<u16> {
    let (digits, separator) = prefix.split_at_checked(3)?;
    if separator.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    digits.iter().try_fold(0, |code: u16, digit| {
        digit.is_ascii_digit().then(|| code * 10 + u16::from(digit - b'0'))
    })
}

fn class_digit(code: u16) -> u16 {
    code / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Reply {
        let mut input = bytes;
        let reply = ReplyParser::new().feed(&mut input).unwrap().expect("a whole reply");
        assert!(input.is_empty());
        let mut parser = ReplyParser::new();
        let in_pieces = bytes.iter().find_map(|byte| parser.feed(&mut [*byte].as_slice()).unwrap());
        assert_eq!(in_pieces.as_ref(), Some(&reply));
        reply
    }

    #[test]
    fn one_line_is_a_reply() {
        let reply = parse(b"250 ok queued\r\n");
        assert_eq!((reply.code(), reply.class()), (Some(250), Class::Success));
        assert_eq!(reply.text(), b"250 ok queued\n");
        assert_eq!(parse(b"354\r\n").class(), Class::Intermediate);
        assert_eq!(parse(b"220\n").code(), Some(220));
    }

    #[test]
    fn a_hyphen_promises_another_line() {
        let reply = parse(b"250-a\r\n250-\r\n250 b\r\n");
        assert_eq!((reply.code(), reply.text()), (Some(250), b"250-a\n250-\n250 b\n".as_slice()));
        assert_eq!(ReplyParser::new().feed(&mut b"250-a\r\n25".as_slice()), Ok(None));
    }

    #[test]
    fn what_follows_a_reply_is_left_for_the_next() {
        let mut input = b"220 hi\r\n554 no\r\n".as_slice();
        let mut parser = ReplyParser::new();
        assert_eq!(parser.feed(&mut input).unwrap().unwrap().code(), Some(220));
        assert_eq!(input, b"554 no\r\n");
        assert_eq!(parser.feed(&mut input).unwrap().unwrap().text(), b"554 no\n");
    }

    #[test]
    fn what_is_not_a_code_is_no_verdict() {
        for line in ["abc no\r\n", "55x no\r\n", "5\r\n", "\r\n", "55 0\r\n", "5500 no\r\n"] {
            assert_eq!(parse(line.as_bytes()).code(), None, "{line:?}");
        }
        for line in ["000 x\r\n", "150 x\r\n", "600 x\r\n", "999 x\r\n"] {
            assert_eq!(parse(line.as_bytes()).class(), Class::Unknown, "{line:?}");
        }
    }

    #[test]
    fn lines_that_contradict_each_other_are_no_verdict() {
        assert_eq!(parse(b"250-yes\r\n550 no\r\n").class(), Class::Unknown);
        assert_eq!(parse(b"550-no\r\nwhy\r\n").class(), Class::Unknown);
        assert_eq!(parse(b"why-\r\n550 no\r\n").class(), Class::Unknown);
        assert_eq!(parse(b"550-no\r\n554 no\r\n").code(), Some(550));
    }

    #[test]
    fn a_talkative_server_is_cut_short() {
        let long = [b"550 ".as_slice(), &[b'x'; 6000], b"\r\n"].concat();
        let text = parse(&long).text().to_vec();
        assert_eq!((text.len(), text.last()), (5001, Some(&b'\n')));
        let endless = vec![b'x'; MOST_BYTES + 1];
        assert_eq!(ReplyParser::new().feed(&mut endless.as_slice()), Err(TooLong));
        let lines = b"250-\r\n".repeat(MOST_LINES);
        assert_eq!(ReplyParser::new().feed(&mut lines.as_slice()), Err(TooLong));
    }
}
