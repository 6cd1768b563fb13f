//! What a message is about, in a few words: for qbiff and maildirwatch.

use std::io::{BufRead, Read};

use qmail_message::field::{Known, contents};

use crate::fields::{Trouble, read_header};

/// The beginning of a message: its subject and what follows it in the body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Subject, then body, line ends included.
    pub text: Vec<u8>,
    /// The contents of the last `Return-Path`, without its LF.
    pub return_path: Option<Vec<u8>>,
    /// The contents of the last `Delivered-To`, without its LF.
    pub delivered_to: Option<Vec<u8>>,
    /// The last field `From`, its name included, without its LF.
    pub from: Option<Vec<u8>>,
}

impl Summary {
    /// Reads as much of `message` as it takes for a text of `limit` bytes.
    pub(crate) fn read(message: &mut impl BufRead, limit: usize) -> Result<Self, Trouble> {
        let mut summary = Self::default();
        let body = read_header(message, |field| summary.field(field, limit))?;
        if let Some(body) = body {
            summary.text.extend_from_slice(&body);
            let missing = limit.saturating_sub(summary.text.len());
            let mut rest = Vec::new();
            let at_most = u64::try_from(missing).unwrap_or(u64::MAX);
            Read::take(message, at_most).read_to_end(&mut rest).map_err(Trouble::Read)?;
            let is_cut = rest.len() == missing;
            summary.text.append(&mut rest);
            if !is_cut && !summary.text.ends_with(b"\n") {
                summary.text.push(b'\n');
            }
        }
        summary.text.truncate(limit);
        Ok(summary)
    }

    /// There may be any number of them.
    fn field(&mut self, field: &[u8], limit: usize) {
        let line = |bytes: &[u8]| Some(bytes.strip_suffix(b"\n").unwrap_or(bytes).to_vec());
        match Known::of(field) {
            Some(Known::Subject) => {
                let subject = contents(field);
                let room = limit.saturating_sub(self.text.len()).min(subject.len());
                self.text.extend_from_slice(subject.get(..room).unwrap_or_default());
            }
            Some(Known::ReturnPath) => self.return_path = line(contents(field)),
            Some(Known::DeliveredTo) => self.delivered_to = line(contents(field)),
            Some(Known::From) => self.from = line(field),
            _ => {}
        }
    }
}

/// `bytes` with `stand_in` for each that a terminal might obey rather than show.
pub(crate) fn printable(bytes: &[u8], stand_in: u8) -> Vec<u8> {
    let shown = |byte: &u8| if (32..=126).contains(byte) { *byte } else { stand_in };
    bytes.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(message: &str, limit: usize) -> String {
        let summary = Summary::read(&mut message.as_bytes(), limit).unwrap();
        String::from_utf8(summary.text).unwrap()
    }

    #[test]
    fn a_text_is_the_subject_and_then_the_body() {
        assert_eq!(text("A: b\nSubject:  hi\n\nbody\nmore", 100), "hi\n\nbody\nmore\n");
        assert_eq!(text("Subject: hi\n\nbody\n", 6), "hi\n\nbo");
        assert_eq!(text("Subject: hello\n\nbody\n", 3), "hel");
        assert_eq!(text("Subject: hi\n", 100), "hi\n");
    }

    #[test]
    fn any_number_of_subjects_takes_no_memory() {
        let message = "Subject: x\n".repeat(100_000);
        let summary = Summary::read(&mut message.as_bytes(), 74).unwrap();
        assert_eq!(summary.text, "x\n".repeat(37).into_bytes());
        assert!(summary.text.capacity() < 1000, "{}", summary.text.capacity());
    }

    #[test]
    fn fields_lose_their_line_ends() {
        let message = "Return-Path: <a@b>\nDelivered-To: c@d\nFrom: A <a@b>\n\n";
        let summary = Summary::read(&mut message.as_bytes(), 10).unwrap();
        assert_eq!(summary.return_path.unwrap(), b"<a@b>");
        assert_eq!(summary.delivered_to.unwrap(), b"c@d");
        assert_eq!(summary.from.unwrap(), b"From: A <a@b>");
    }

    #[test]
    fn a_terminal_is_never_sent_a_control() {
        assert_eq!(printable(b"a\x1b[2J\x7f\x9b~ ", b'_'), b"a_[2J__~ ");
    }
}
