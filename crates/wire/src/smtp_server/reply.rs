//! What a server says.

use std::borrow::Cow;

/// A reply: a code, and a text of one or more lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    /// Its lines, with LF between them.
    text: Cow<'static, [u8]>,
}

impl Reply {
    /// A reply that is always the same. LF in `text` separates lines.
    pub const fn new(code: u16, text: &'static str) -> Self {
        Self { code, text: Cow::Borrowed(text.as_bytes()) }
    }

    /// A reply that is put together. LF in `text` separates lines.
    pub fn with_text(code: u16, text: impl Into<Vec<u8>>) -> Self {
        Self { code, text: Cow::Owned(text.into()) }
    }

    /// Its code.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// As it goes over the wire.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut wire = Vec::with_capacity(self.text.len() + 6);
        let mut lines = self.text.split(|byte| *byte == b'\n').peekable();
        while let Some(line) = lines.next() {
            wire.extend_from_slice(self.code.to_string().as_bytes());
            wire.push(if lines.peek().is_some() { b'-' } else { b' ' });
            wire.extend_from_slice(line);
            wire.extend_from_slice(b"\r\n");
        }
        wire
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lines_but_the_last_have_a_hyphen() {
        assert_eq!(Reply::new(250, "ok").to_wire(), b"250 ok\r\n");
        assert_eq!(Reply::with_text(250, "a\nb\nc").to_wire(), b"250-a\r\n250-b\r\n250 c\r\n");
    }
}
