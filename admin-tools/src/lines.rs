//! Lines of files that administrators write.

use std::io::{self, BufRead, Read};

/// A longer line is not one that anybody wrote.
const LONGEST: u64 = 1 << 20;

/// Shows each line to `take`, with the LF at its end if it has one, until `take` says that it was
/// the last.
///
/// # Errors
/// Those of reading, `InvalidData` for a line of a MiB and more, and what `take` complains of.
pub fn each_line<E: From<io::Error>>(
    mut input: impl BufRead,
    mut take: impl FnMut(&[u8]) -> Result<Next, E>,
) -> Result<(), E> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = input.by_ref().take(LONGEST).read_until(b'\n', &mut line)?;
        if length == 0 {
            return Ok(());
        }
        if !line.ends_with(b"\n") && u64::try_from(length).unwrap_or(LONGEST) >= LONGEST {
            return Err(E::from(io::ErrorKind::InvalidData.into()));
        }
        if take(&line)? == Next::Stop {
            return Ok(());
        }
    }
}

/// Whether there is more to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is.
    Go,
    /// The rest is not for us.
    Stop,
}

/// A line without its LF.
pub fn without_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let mut lines = Vec::new();
        each_line(input, |line| {
            lines.push(line.to_vec());
            Ok::<_, io::Error>(if line == b".\n" { Next::Stop } else { Next::Go })
        })?;
        Ok(lines)
    }

    #[test]
    fn the_last_line_need_not_end_and_reading_may_stop() {
        assert_eq!(lines(b"a\n\nb").unwrap(), [b"a\n".as_slice(), b"\n", b"b"]);
        assert_eq!(lines(b"a\n.\nb").unwrap(), [b"a\n".as_slice(), b".\n"]);
    }

    #[test]
    fn an_endless_line_is_refused() {
        let line = vec![b'x'; 1 << 20];
        assert_eq!(lines(&line).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert!(lines(&line[1..]).is_ok());
    }
}
