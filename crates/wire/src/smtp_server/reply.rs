//! What a server says.

use std::borrow::Cow;

/// A reply: a code, and a text of one or more lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    form: Form,
    /// Its lines, with LF between them.
    text: Cow<'static, [u8]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The code stands before each line.
    Plain,
    /// The lines have their codes already.
    Verbatim,
}

impl Reply {
    /// A reply that is always the same. LF in `text` separates lines.
    pub const fn new(code: u16, text: &'static str) -> Self {
        Self { code, form: Form::Plain, text: Cow::Borrowed(text.as_bytes()) }
    }

    /// A reply that is put together. LF in `text` separates lines.
    pub fn with_text(code: u16, text: impl Into<Vec<u8>>) -> Self {
        Self { code, form: Form::Plain, text: Cow::Owned(text.into()) }
    }

    /// Lines that somebody else has put together, codes included. LF separates them; its code is
    /// that of the last line, and 0 if that has none. Without any text, nothing is said.
    pub fn verbatim(lines: impl Into<Vec<u8>>) -> Self {
        let text = lines.into();
        let last = text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        Self { code: code_of(last), form: Form::Verbatim, text: Cow::Owned(text) }
    }

    /// Whether it says nothing at all.
    pub fn is_silence(&self) -> bool {
        self.form == Form::Verbatim && self.text.is_empty()
    }

    /// Whether it tells the client not to try again.
    pub fn is_permanent(&self) -> bool {
        (500..600).contains(&self.code)
    }

    /// Its text, with LF between lines; the codes are part of it only if they were put there.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Its code.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// As it goes over the wire.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut wire = Vec::with_capacity(self.text.len() + 6);
        if self.is_silence() {
            return wire;
        }
        let mut lines = self.text.split(|byte| *byte == b'\n').peekable();
        while let Some(line) = lines.next() {
            if self.form == Form::Plain {
                wire.extend_from_slice(self.code.to_string().as_bytes());
                wire.push(if lines.peek().is_some() { b'-' } else { b' ' });
            }
            wire.extend_from_slice(line);
            wire.extend_from_slice(b"\r\n");
        }
        wire
    }
}

/// The three digits that a line begins with.
fn code_of(line: &[u8]) -> u16 {
    let digits = line.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit));
    digits.map_or(0, |digits| {
        digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit.saturating_sub(b'0')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lines_but_the_last_have_a_hyphen() {
        assert_eq!(Reply::new(250, "ok").to_wire(), b"250 ok\r\n");
        assert_eq!(Reply::with_text(250, "a\nb\nc").to_wire(), b"250-a\r\n250-b\r\n250 c\r\n");
    }

    #[test]
    fn lines_of_somebody_else_go_out_as_they_are() {
        let reply = Reply::verbatim("451 wait\n550 no");
        assert_eq!((reply.code(), reply.to_wire()), (550, b"451 wait\r\n550 no\r\n".to_vec()));
        assert_eq!(Reply::verbatim("no").code(), 0);
        assert!(Reply::verbatim("").to_wire().is_empty());
    }
}
