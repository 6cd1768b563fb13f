//! Reading the header of a message.

use std::io::{self, BufRead, Read};

use qmail_message::field::MAXIMUM_LENGTH;
use qmail_message::header::Splitter;

/// Why a header could not be read to its end.
#[derive(Debug)]
pub enum Trouble {
    /// The message cannot be read.
    Read(io::Error),
    /// A field is longer than anybody needs.
    TooLong,
}

/// Shows each field, with its LF, to `field`. Returns what the body begins with; without that, the
/// message ended inside its header.
pub fn read_header(
    input: &mut impl BufRead,
    mut field: impl FnMut(&[u8]),
) -> Result<Option<Vec<u8>>, Trouble> {
    let mut splitter = Splitter::default();
    while let Some(line) = read_line(input).map_err(Trouble::Read)? {
        let progress = splitter.line(&line).map_err(|_| Trouble::TooLong)?;
        if let Some(ended) = progress.field {
            field(&ended);
        }
        if let Some(body) = progress.body {
            return Ok(Some(body));
        }
    }
    if let Some(last) = splitter.finish() {
        field(&last);
    }
    Ok(None)
}

/// A line with its LF, or the beginning of one that is too long for a header.
fn read_line(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let limit = MAXIMUM_LENGTH + 1;
    let mut line = Vec::new();
    let at_most = u64::try_from(limit).unwrap_or(u64::MAX);
    Read::take(input, at_most).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') && line.len() < limit {
        line.push(b'\n');
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_shown_one_by_one_and_the_body_is_left() {
        let mut input = b"A: b\n c\nD: e\n\nbody\n".as_slice();
        let mut fields = Vec::new();
        let body = read_header(&mut input, |field| fields.push(field.to_vec())).unwrap();
        assert_eq!(fields, [b"A: b\n c\n".to_vec(), b"D: e\n".to_vec()]);
        assert_eq!((body.unwrap().as_slice(), input), (b"\n".as_slice(), b"body\n".as_slice()));
    }

    #[test]
    fn an_unfinished_line_is_a_field_too() {
        let mut fields = Vec::new();
        let body = read_header(&mut b"A: b".as_slice(), |field| fields.push(field.to_vec()));
        assert_eq!((fields, body.unwrap()), (vec![b"A: b\n".to_vec()], None));
    }

    #[test]
    fn an_endless_field_is_refused() {
        let endless = [b"A: ".as_slice(), &vec![b'x'; MAXIMUM_LENGTH]].concat();
        let read = read_header(&mut endless.as_slice(), |_| {});
        assert!(matches!(read, Err(Trouble::TooLong)));
    }
}
