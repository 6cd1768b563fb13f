//! Where the header of a message ends, and which fields it has.

use crate::field::{self, MAXIMUM_LENGTH};

/// Takes a header line by line and gives it back field by field. It never holds more than one
/// field, and no field longer than [`MAXIMUM_LENGTH`].
#[derive(Debug, Default)]
pub struct Splitter {
    field: Vec<u8>,
}

/// What a line brought about.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// A field that this line ended, with the LF at its end.
    pub field: Option<Vec<u8>>,
    /// The header is over; the body begins with this, and all that follows belongs to it.
    pub body: Option<Vec<u8>>,
}

/// A header field is longer than [`MAXIMUM_LENGTH`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl std::fmt::Display for TooLong {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("header field too long")
    }
}

impl std::error::Error for TooLong {}

impl Splitter {
    /// Takes a line with the LF at its end. Of a line longer than [`MAXIMUM_LENGTH`] the beginning
    /// is enough; it is either refused or the first piece of the body.
    pub fn line(&mut self, line: &[u8]) -> Result<Progress, TooLong> {
        let continues = matches!(line.first(), Some(b' ' | b'\t')) && !self.field.is_empty();
        if continues {
            self.extend(line)?;
            return Ok(Progress::default());
        }
        let field = self.take();
        if line == b"\n" {
            return Ok(Progress { field, body: Some(line.to_vec()) });
        }
        if line.starts_with(b"From ") {
            // An mbox has it before the header; relays have let it slip in.
            self.extend(b"MBOX-Line: ")?;
        } else if field::name(line).is_none() {
            return Ok(Progress { field, body: Some([b"\n", line].concat()) });
        }
        self.extend(line)?;
        Ok(Progress { field, body: None })
    }

    /// The last field of a message that ended inside its header.
    pub fn finish(mut self) -> Option<Vec<u8>> {
        self.take()
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        Some(std::mem::take(&mut self.field)).filter(|field| !field.is_empty())
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if bytes.len() > MAXIMUM_LENGTH - self.field.len() {
            return Err(TooLong);
        }
        self.field.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields, and the body if the header ended.
    fn split(message: &str) -> (Vec<String>, Option<String>) {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let mut splitter = Splitter::default();
        let mut fields = Vec::new();
        for line in message.split_inclusive('\n') {
            let progress = splitter.line(line.as_bytes()).unwrap();
            fields.extend(progress.field.map(text));
            if let Some(body) = progress.body {
                return (fields, Some(text(body)));
            }
        }
        fields.extend(splitter.finish().map(text));
        (fields, None)
    }

    #[test]
    fn an_empty_line_ends_the_header_and_is_passed_on() {
        let (fields, body) = split("A: b\n c\n\td\nE: f\n\nrest\n");
        assert_eq!(fields, ["A: b\n c\n\td\n", "E: f\n"]);
        assert_eq!(body.unwrap(), "\n");
    }

    #[test]
    fn a_line_that_is_no_field_ends_the_header_behind_an_empty_line() {
        assert_eq!(split("A: b\nhello\n"), (vec!["A: b\n".into()], Some("\nhello\n".into())));
        assert_eq!(split(" A: b\n"), (vec![], Some("\n A: b\n".into())));
        assert_eq!(split("A\u{e9}: b\n"), (vec![], Some("\nA\u{e9}: b\n".into())));
    }

    #[test]
    fn from_lines_become_fields() {
        assert_eq!(split("From joe\nA: b\n").0, ["MBOX-Line: From joe\n", "A: b\n"]);
        assert_eq!(split("A: b\nFrom joe\n x\n").0, ["A: b\n", "MBOX-Line: From joe\n x\n"]);
    }

    #[test]
    fn a_message_may_end_inside_its_header() {
        assert_eq!(split("A: b\n c\n"), (vec!["A: b\n c\n".into()], None));
        assert_eq!(split(""), (vec![], None));
    }

    #[test]
    fn a_field_of_more_than_a_mebibyte_is_refused() {
        let mut splitter = Splitter::default();
        splitter.line(b"To: x,\n").unwrap();
        let line = [b" ".as_slice(), &[b'x'; 1022], b"\n"].concat();
        let refused = (0..1024).map(|_| splitter.line(&line)).position(|line| line.is_err());
        assert_eq!(refused, Some(1023));
    }

    #[test]
    fn an_endless_line_is_refused_as_a_field_but_taken_as_body() {
        let endless = vec![b'x'; MAXIMUM_LENGTH + 1];
        let body = Splitter::default().line(&endless).unwrap().body.unwrap();
        assert_eq!(body.len(), endless.len() + 1);
        let field = [b"To: ".as_slice(), &endless].concat();
        assert_eq!(Splitter::default().line(&field), Err(TooLong));
    }
}
