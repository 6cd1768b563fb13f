//! Reading the message.

use std::io::{BufRead, Read as _};

use qmail_message::field::MAXIMUM_LENGTH;
use qmail_message::header::{Splitter, TooLong};

use crate::compose::{Composed, Composer};
use crate::failure::Failure;
use crate::settings::Settings;

/// Reads the header, and completes it. Also gives what the body begins with; without that, the
/// message ended inside its header.
pub(crate) fn read_header(
    input: &mut impl BufRead,
    settings: &Settings,
) -> Result<(Composed, Option<Vec<u8>>), Failure> {
    let mut composer = Composer::new(settings);
    let mut splitter = Splitter::default();
    while let Some(line) = read_line(input)? {
        let progress = splitter.line(&line).map_err(|TooLong| Failure::TooLong("header field"))?;
        if let Some(field) = progress.field {
            composer.field(field)?;
        }
        if let Some(body) = progress.body {
            return Ok((composer.finish()?, Some(body)));
        }
    }
    if let Some(field) = splitter.finish() {
        composer.field(field)?;
    }
    Ok((composer.finish()?, None))
}

/// Passes the body on, from what it begins with to the end of the input. It ends with an LF.
pub(crate) fn copy_body(
    input: &mut impl BufRead,
    begins: &[u8],
    mut write: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    write(begins)?;
    let mut last = begins.last().copied();
    loop {
        let bytes = match input.fill_buf() {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            bytes => bytes.map_err(Failure::Read)?,
        };
        if bytes.is_empty() {
            break;
        }
        write(bytes)?;
        last = bytes.last().copied();
        let length = bytes.len();
        input.consume(length);
    }
    if last == Some(b'\n') { Ok(()) } else { write(b"\n") }
}

/// A line with its LF, or the beginning of one that is too long for a header.
fn read_line(input: &mut impl BufRead) -> Result<Option<Vec<u8>>, Failure> {
    let limit = MAXIMUM_LENGTH + 1;
    let mut line = Vec::new();
    let at_most = u64::try_from(limit).unwrap_or(u64::MAX);
    input.take(at_most).read_until(b'\n', &mut line).map_err(Failure::Read)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') && line.len() < limit {
        line.push(b'\n');
    }
    Ok(Some(line))
}
