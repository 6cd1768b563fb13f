//! What maildirwatch shows of a message.

use std::io::BufRead;

use crate::fields::Trouble;
use crate::summary::{Summary, printable};

/// Makes a terminal empty.
pub const CLEAR: &[u8] = b"\x1b[;H\x1b[;J";
const BOLD: &[u8] = b"\x1b[1m";
const PLAIN: &[u8] = b"\x1b[0m";
/// Bytes that are shown of subject and body.
const LIMIT: usize = 158;

/// A few lines about a message.
pub fn show(message: &mut impl BufRead) -> Result<Vec<u8>, Trouble> {
    let summary = Summary::read(message, LIMIT)?;
    let name = |field: Option<Vec<u8>>| printable(&field.unwrap_or(b"?".to_vec()), b'?');
    let sender = name(summary.return_path);
    let recipient = name(summary.delivered_to);
    let from = summary.from.map(|from| [BOLD, &printable(&from, b'/'), PLAIN, b"\n"].concat());
    Ok([
        b"FROM ".as_slice(),
        &sender,
        b" TO <",
        &recipient,
        b">\n",
        &from.unwrap_or_default(),
        &printable(&summary.text, b'/'),
        b"\n\n",
    ]
    .concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(message: &str) -> String {
        String::from_utf8(show(&mut message.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn envelope_author_and_text_are_shown() {
        let message = "Return-Path: <a@b>\nDelivered-To: c@d\nFrom: A\x1b\nSubject: s\n\ntext\n";
        assert_eq!(shown(message), "FROM <a@b> TO <c@d>\n\x1b[1mFrom: A/\x1b[0m\ns//text/\n\n");
    }

    #[test]
    fn what_is_missing_is_a_question_mark_or_nothing() {
        assert_eq!(shown("Subject: s\n"), "FROM ? TO <?>\ns/\n\n");
    }
}
