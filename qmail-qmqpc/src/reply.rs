//! What the server says.

use std::io::BufRead;

use qmail_wire::netstring::Netstrings;

use crate::failure::Failure;

/// Bytes of a text that are of use to anybody.
const LONGEST_TEXT: usize = 254;

/// A server's verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It has queued the message.
    Queued,
    /// It has not, and perhaps will later. Its words.
    Later(Vec<u8>),
    /// It has not, and never will. Its words.
    Never(Vec<u8>),
}

impl Reply {
    /// Reads it: a netstring that begins with `K`, `Z` or `D`.
    ///
    /// # Errors
    /// If the server is gone before the verdict, or says something else. What it says behind the
    /// verdict changes nothing.
    pub fn read(input: impl BufRead) -> Result<Self, Failure> {
        let mut input = Netstrings::new(input);
        let length = input.begin().map_err(|_| Failure::Connection)?;
        let rest = length.checked_sub(1).ok_or(Failure::Connection)?;
        let verdict = input.byte().map_err(|_| Failure::Connection)?;
        if verdict == b'K' {
            return Ok(Self::Queued);
        }
        let mut text = Vec::new();
        let read = input.pass(rest, |block| {
            let free = LONGEST_TEXT.saturating_sub(text.len());
            text.extend_from_slice(block.get(..free).unwrap_or(block));
        });
        // Half a text could mean something else.
        let text = read.and_then(|()| input.end()).map_or(Vec::new(), |()| text);
        match verdict {
            b'Z' => Ok(Self::Later(text)),
            b'D' => Ok(Self::Never(text)),
            _ => Err(Failure::Connection),
        }
    }

    /// The exit code, to a caller that cannot be told the words.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Later(_) => 71,
            Self::Never(_) => 31,
        }
    }

    /// The words for a caller that can be told, if there are any: the letter that says how final
    /// they are, and one line.
    pub fn words(&self) -> Option<Vec<u8>> {
        let (letter, text) = match self {
            Self::Queued => return None,
            Self::Later(text) => (b'Z', text),
            Self::Never(text) => (b'D', text),
        };
        let shown = |byte: &u8| if byte.is_ascii_control() { b' ' } else { *byte };
        let line: Vec<u8> = std::iter::once(letter).chain(text.iter().map(shown)).collect();
        let line = line.trim_ascii_end().to_vec();
        // A reader takes shorter ones for none.
        (line.len() > 2).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmail_wire::netstring::encode;

    #[test]
    fn the_first_letter_is_the_verdict() {
        let read = |reply: &[u8]| Reply::read(encode(reply).as_slice()).unwrap();
        assert_eq!(read(b"Kok 1 qp 2"), Reply::Queued);
        assert_eq!(read(b"Zlater"), Reply::Later(b"later".to_vec()));
        assert_eq!(read(b"D").code(), 31);
        assert_eq!(read(b"Z").code(), 71);
    }

    #[test]
    fn letters_outside_the_frame_are_no_verdict() {
        for bad in [b"".as_slice(), b"K", b"Kok", b"0:K,", b"1:X,", b"xK", b"1", b"99999999999:K"] {
            let shown = String::from_utf8_lossy(bad);
            assert_eq!(Reply::read(bad), Err(Failure::Connection), "{shown}");
        }
    }

    #[test]
    fn a_verdict_holds_even_if_the_words_are_cut() {
        assert_eq!(Reply::read(b"9:Kok".as_slice()), Ok(Reply::Queued));
        assert_eq!(Reply::read(b"9:Dno".as_slice()), Ok(Reply::Never(Vec::new())));
        assert_eq!(Reply::read(b"3:Dno;".as_slice()), Ok(Reply::Never(Vec::new())));
    }

    #[test]
    fn words_are_one_line_of_bounded_length() {
        assert_eq!(Reply::Never(b"no\r\nX: y\n".to_vec()).words().unwrap(), b"Dno  X: y");
        assert_eq!(Reply::Later(b"x".to_vec()).words(), None);
        assert_eq!(Reply::Queued.words(), None);
        let long = encode(&[b'Z'; 100_000]);
        assert_eq!(Reply::read(long.as_slice()).unwrap().words().unwrap().len(), 255);
    }
}
