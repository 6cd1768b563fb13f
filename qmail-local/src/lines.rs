//! The lines that a delivery puts before a message.

use qmail_message::date;

use crate::arguments::Arguments;

/// The lines, each with its LF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// `Delivered-To`: by this very line a loop is found.
    pub delivered_to: Vec<u8>,
    /// The same, in what is forwarded from here.
    pub forwarded_to: Vec<u8>,
    /// `Return-Path`.
    pub return_path: Vec<u8>,
    /// What begins a message in an mbox.
    pub from: Vec<u8>,
}

impl Lines {
    /// The lines of a delivery that is made `now`, in seconds since 1970.
    pub fn new(arguments: &Arguments, now: u64) -> Self {
        let sender = qmail_address::quote(&arguments.sender);
        let delivered_to = delivered_to(&arguments.recipient());
        Self {
            forwarded_to: delivered_to.clone(),
            delivered_to,
            return_path: line(&[b"Return-Path: <", &sender, b">"]),
            from: from_line(&arguments.sender, now),
        }
    }
}

/// The line that names this recipient.
pub fn delivered_to(recipient: &[u8]) -> Vec<u8> {
    line(&[b"Delivered-To: ", recipient])
}

fn line(parts: &[&[u8]]) -> Vec<u8> {
    let mut line = parts.concat();
    for byte in &mut line {
        if *byte == b'\n' {
            *byte = b'_';
        }
    }
    line.push(b'\n');
    line
}

fn from_line(sender: &[u8], now: u64) -> Vec<u8> {
    let visible = |byte: &u8| if b" \t\n".contains(byte) { b'-' } else { *byte };
    let sender = if sender.is_empty() { b"MAILER-DAEMON".as_slice() } else { sender };
    let sender: Vec<u8> = sender.iter().map(visible).collect();
    [b"From ", sender.as_slice(), b" ", date::mbox(now).as_bytes(), b"\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::tests::arguments;

    const NOW: u64 = 1_767_323_045;

    #[test]
    fn lines_name_recipient_and_sender() {
        let lines = Lines::new(&arguments(), NOW);
        assert_eq!(lines.delivered_to, b"Delivered-To: joe-List@a.b.example\n");
        assert_eq!(lines.return_path, b"Return-Path: <s@x>\n");
        assert_eq!(lines.from, b"From s@x Fri Jan 02 03:04:05 2026\n");
    }

    #[test]
    fn a_bounce_comes_from_the_mailer_daemon() {
        let lines = Lines::new(&Arguments { sender: Vec::new(), ..arguments() }, NOW);
        assert_eq!(lines.return_path, b"Return-Path: <>\n");
        assert!(lines.from.starts_with(b"From MAILER-DAEMON Fri "));
    }

    #[test]
    fn no_address_adds_lines() {
        let hostile = b"a \t\nX: y@b".to_vec();
        let arguments = Arguments { sender: hostile.clone(), local: hostile, ..arguments() };
        let lines = Lines::new(&arguments, NOW);
        assert_eq!(lines.delivered_to, b"Delivered-To: a \t_X: y@b@a.b.example\n");
        assert_eq!(lines.return_path, b"Return-Path: <\"a \t\\_X: y\"@b>\n");
        assert!(lines.from.starts_with(b"From a---X:-y@b Fri "));
    }
}
