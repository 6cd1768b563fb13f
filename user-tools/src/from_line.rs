//! The line before a message in an mbox.

use qmail_message::date;

const FROM: &[u8] = b"From ";
const RETURN_PATH: &[u8] = b"Return-Path: <";

/// The `From ` line, with LF, of a message that begins with `first_line` and came at
/// `unix_seconds`.
pub(crate) fn from_line(first_line: &[u8], unix_seconds: u64) -> Vec<u8> {
    let when = date::mbox(unix_seconds);
    [FROM, &sender(first_line), b" ", when.as_bytes(), b"\n"].concat()
}

/// The sender that a first line `Return-Path: <...>` names, as one word.
fn sender(first_line: &[u8]) -> Vec<u8> {
    let line = first_line.strip_suffix(b"\n");
    let Some(path) = line.and_then(|line| line.strip_prefix(RETURN_PATH)) else {
        return b"XXX".to_vec();
    };
    let path = path.strip_suffix(b"\r").unwrap_or(path);
    match path.strip_suffix(b">").unwrap_or(path) {
        b"" => b"MAILER-DAEMON".to_vec(),
        path => path
            .iter()
            .map(|byte| if matches!(byte, b' ' | b'\t') { b'-' } else { *byte })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_is_one_word() {
        let line = |first: &str| String::from_utf8(from_line(first.as_bytes(), 0)).unwrap();
        let date = "Thu Jan 01 00:00:00 1970\n";
        assert_eq!(line("Return-Path: <a b\t@c>\n"), format!("From a-b-@c {date}"));
        assert_eq!(line("Return-Path: <>\n"), format!("From MAILER-DAEMON {date}"));
        assert_eq!(line("Return-Path: <a@b>\r\n"), format!("From a@b {date}"));
        assert_eq!(line("Received: x\n"), format!("From XXX {date}"));
        assert_eq!(line("Return-Path: <a@b>"), format!("From XXX {date}"));
    }
}
