//! Header and body of a message, as far as they are looked at.

use std::io::{self, Read};

use qmail_message::field;
use qmail_message::header::Splitter;

/// Bytes of a message that are looked at, header and body together.
pub(super) const LIMIT: u64 = 1 << 20;

/// A message's header and body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// Each field on one line, without its end.
    pub(super) fields: Vec<Vec<u8>>,
    pub(super) body: Vec<u8>,
}

impl Parts {
    pub(super) fn read(message: impl Read) -> io::Result<Self> {
        let mut text = Vec::new();
        message.take(LIMIT).read_to_end(&mut text)?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &[u8]) -> Self {
        let (mut parts, mut splitter) = (Self::default(), Splitter::default());
        let mut lines = text.split_inclusive(|byte| *byte == b'\n');
        while let Some(line) = lines.next() {
            // A field that nobody would write ends the header.
            let Ok(progress) = splitter.line(line) else { return parts };
            parts.fields.extend(progress.field.map(|field| field::unfold(&field)));
            if progress.body.is_some() {
                let start = if line == b"\n" { &[] } else { line };
                parts.body = start.to_vec();
                lines.for_each(|line| parts.body.extend_from_slice(line));
                return parts;
            }
        }
        parts.fields.extend(splitter.finish().map(|field| field::unfold(&field)));
        parts
    }

    /// What the first field of this name says.
    pub(super) fn field(&self, name: &[u8]) -> Option<&[u8]> {
        let is_named = |field: &&Vec<u8>| {
            field::name(field).is_some_and(|found| found.eq_ignore_ascii_case(name))
        };
        self.fields.iter().find(is_named).map(|found| field::contents(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_unfolded_and_the_body_is_what_follows() {
        let parts = Parts::parse(b"SUBJECT: a\n b\nTo: x\n\nbody\n\nend");
        assert_eq!(parts.fields, [b"SUBJECT: a b".to_vec(), b"To: x".to_vec()]);
        assert_eq!(parts.field(b"Subject"), Some(&b"a b"[..]));
        assert_eq!(parts.field(b"From"), None);
        assert_eq!(parts.body, b"body\n\nend");
        assert_eq!(Parts::parse(b"no header\n").body, b"no header\n");
        assert_eq!(Parts::parse(b"To: x").field(b"to"), Some(&b"x"[..]));
    }

    #[test]
    fn only_the_beginning_of_a_message_is_looked_at() {
        let endless = io::repeat(b'x');
        assert!(Parts::read(endless).unwrap().body.len() <= usize::try_from(LIMIT).unwrap());
    }
}
