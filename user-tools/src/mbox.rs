//! The mbox form of a message: a `From ` line, the message with other such lines quoted, an empty
//! line.

use std::io::{self, Write};

use qmail_message::date;

const FROM: &[u8] = b"From ";
const RETURN_PATH: &[u8] = b"Return-Path: <";

/// The `From ` line, with LF, of a message that begins with `first_line` and came at
/// `unix_seconds`.
pub fn from_line(first_line: &[u8], unix_seconds: u64) -> Vec<u8> {
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

/// Writes one message in mbox form. It needs no more memory for a longer line.
#[derive(Debug)]
pub struct Quoter<W> {
    output: W,
    state: State,
}

/// Where in a line the message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Behind an LF, or at the very beginning.
    Start,
    /// Behind nothing but `>`.
    Quotes,
    /// Behind quotes and so many bytes of `From `, which are not written yet.
    From(usize),
    /// Further on.
    Inside,
}

impl<W: Write> Quoter<W> {
    /// Writes to `output`.
    pub fn new(output: W) -> Self {
        Self { output, state: State::Start }
    }

    /// Adds to the message.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while let Some((byte, behind)) = rest.split_first() {
            if self.state == State::Inside {
                let end = rest.iter().position(|byte| *byte == b'\n');
                let (line, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
                self.output.write_all(line)?;
                if end.is_some() {
                    self.state = State::Start;
                }
                rest = after;
            } else {
                self.beginning(*byte)?;
                rest = behind;
            }
        }
        Ok(())
    }

    /// Ends the message: its last line gets the LF that it may lack, and an empty line follows.
    pub fn finish(mut self) -> io::Result<()> {
        self.release()?;
        if self.state != State::Start {
            self.output.write_all(b"\n")?;
        }
        self.output.write_all(b"\n")
    }

    /// A byte that may belong to `>>>From `.
    fn beginning(&mut self, byte: u8) -> io::Result<()> {
        let matched = if let State::From(matched) = self.state { matched } else { 0 };
        if FROM.get(matched) == Some(&byte) {
            self.state = State::From(matched + 1);
            if matched + 1 < FROM.len() {
                return Ok(());
            }
            // One more `>` among those before it.
            self.output.write_all(b">")?;
            self.release()?;
            self.state = State::Inside;
            return Ok(());
        }
        self.release()?;
        self.state = match byte {
            b'\n' => State::Start,
            b'>' if matched == 0 => State::Quotes,
            _ => State::Inside,
        };
        self.output.write_all(&[byte])
    }

    /// Writes what was held back.
    fn release(&mut self) -> io::Result<()> {
        match self.state {
            State::From(matched) => self.output.write_all(FROM.get(..matched).unwrap_or_default()),
            State::Start | State::Quotes | State::Inside => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(message: &str) -> String {
        let whole = quoted_in_pieces(message, message.len().max(1));
        for size in 1..8 {
            assert_eq!(quoted_in_pieces(message, size), whole);
        }
        whole
    }

    fn quoted_in_pieces(message: &str, size: usize) -> String {
        let mut output = Vec::new();
        let mut quoter = Quoter::new(&mut output);
        for piece in message.as_bytes().chunks(size) {
            quoter.write(piece).unwrap();
        }
        quoter.finish().unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn lines_that_look_like_a_new_message_are_quoted_once_more() {
        assert_eq!(quoted("From a\n>From b\n>>>From c\n"), ">From a\n>>From b\n>>>>From c\n\n");
    }

    #[test]
    fn other_lines_stay() {
        let message = "Fro\nFrom\nFrom: a\n> From b\nx From c\n>\n\n>FrFrom d\n F>From e\n";
        assert_eq!(quoted(message), format!("{message}\n"));
    }

    #[test]
    fn a_last_line_without_its_line_end_is_kept() {
        assert_eq!(quoted("a\nb"), "a\nb\n\n");
        assert_eq!(quoted("From"), "From\n\n");
        assert_eq!(quoted(">>"), ">>\n\n");
        assert_eq!(quoted(""), "\n");
    }

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
