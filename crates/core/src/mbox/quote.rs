//! Lines of a message that look like the beginning of another one: they get a `>`.

/// What begins a message in an mbox.
const FROM: &[u8] = b"From ";

/// Quotes a message that arrives in pieces: each line that is `From ` behind any number of `>` gets
/// one more. Its memory is four bytes, however long a line is.
#[derive(Debug, Default)]
pub struct Quoter {
    state: State,
}

/// What has been seen of the present line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Nothing,
    /// Only `>`. They are passed on at once: one more may be put behind them as well.
    Quotes,
    /// Quotes or nothing, then so many bytes of `From `, which have not been passed on.
    Matched(usize),
    /// It needs no `>`, or has got it.
    Inside,
}

impl Quoter {
    /// At the beginning of a message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the quoted form of `block` to `output`.
    pub fn push(&mut self, block: &[u8], output: &mut Vec<u8>) {
        for piece in block.split_inclusive(|byte| *byte == b'\n') {
            let mut rest = piece;
            while self.state != State::Inside
                && let Some((first, others)) = rest.split_first()
            {
                self.begin(*first, output);
                rest = others;
            }
            output.extend_from_slice(rest);
            if piece.ends_with(b"\n") {
                self.state = State::Nothing;
            }
        }
    }

    /// Ends the message, and its last line if that has no LF.
    pub fn finish(self, output: &mut Vec<u8>) {
        output.extend_from_slice(FROM.get(..self.matched()).unwrap_or_default());
        if self.state != State::Nothing {
            output.push(b'\n');
        }
    }

    /// Takes a byte of the beginning of a line.
    fn begin(&mut self, byte: u8, output: &mut Vec<u8>) {
        let matched = self.matched();
        if matched == 0 && byte == b'>' {
            output.push(byte);
            self.state = State::Quotes;
        } else if FROM.get(matched) != Some(&byte) {
            output.extend_from_slice(FROM.get(..matched).unwrap_or_default());
            output.push(byte);
            self.state = State::Inside;
        } else if matched + 1 == FROM.len() {
            output.push(b'>');
            output.extend_from_slice(FROM);
            self.state = State::Inside;
        } else {
            self.state = State::Matched(matched + 1);
        }
    }

    fn matched(&self) -> usize {
        match self.state {
            State::Matched(length) => length,
            State::Nothing | State::Quotes | State::Inside => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut quoter, mut output) = (Quoter::new(), Vec::new());
        for piece in pieces {
            quoter.push(piece, &mut output);
        }
        quoter.finish(&mut output);
        output
    }

    #[test]
    fn from_behind_any_number_of_quotes_gets_one_more() {
        let message = b"From a\n>From b\n>>>From c\n";
        assert_eq!(quoted(&[message]), b">From a\n>>From b\n>>>>From c\n");
        let other =
            b"Fro\nFromage\n From d\nfrom e\n>x\n>\n\n> From f\nx From g\n>FrFrom h\n F>From i\n";
        assert_eq!(quoted(&[other]), other);
    }

    #[test]
    fn a_last_line_without_end_gets_one() {
        for (message, expected) in [
            (b"".as_slice(), b"".as_slice()),
            (b"a", b"a\n"),
            (b"a\n", b"a\n"),
            (b">", b">\n"),
            (b">>", b">>\n"),
            (b"From", b"From\n"),
            (b">From", b">From\n"),
            (b"From ", b">From \n"),
            (b"\n", b"\n"),
        ] {
            assert_eq!(quoted(&[message]), expected, "{message:?}");
        }
    }

    #[test]
    fn it_does_not_matter_where_a_message_is_cut() {
        let message = b"From a\n>>From b\nFro\nFFrom c\n>From";
        let whole = quoted(&[message]);
        for first in 0..message.len() {
            for second in first..message.len() {
                let pieces = [&message[..first], &message[first..second], &message[second..]];
                assert_eq!(quoted(&pieces), whole, "{first} {second}");
            }
        }
    }

    #[test]
    fn every_line_that_begins_with_from_is_quoted_and_can_be_unquoted() {
        let message = b">>>From x\nFrom y\n>>z\n";
        let quoted = quoted(&[message]);
        assert!(quoted.split(|byte| *byte == b'\n').all(|line| !line.starts_with(b"From ")));
        let is_quoted = |line: &[u8]| {
            let quotes = line.iter().take_while(|byte| **byte == b'>').count();
            quotes > 0 && line[quotes..].starts_with(FROM)
        };
        let unquoted: Vec<&[u8]> = quoted
            .split_inclusive(|byte| *byte == b'\n')
            .map(|line| if is_quoted(line) { &line[1..] } else { line })
            .collect();
        assert_eq!(unquoted.concat(), message);
    }
}
