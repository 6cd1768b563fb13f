//! From the lines of a QMTP message to those of the queue, and how many bytes they make.

use qmail_wire::broken::Broken;

/// How the client ends lines: the first byte of a message says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineEnds {
    /// With LF, as we do.
    Lf,
    /// With CR LF.
    CrLf,
}

impl TryFrom<u8> for LineEnds {
    type Error = Broken;

    fn try_from(byte: u8) -> Result<Self, Broken> {
        match byte {
            b'\n' => Ok(Self::Lf),
            b'\r' => Ok(Self::CrLf),
            _ => Err(Broken::Malformed),
        }
    }
}

/// A message that comes block by block. Beyond its limit nothing is passed on.
#[derive(Debug)]
pub(crate) struct Body {
    line_ends: LineEnds,
    limit: Option<u64>,
    stored: u64,
    /// The last block ended in a CR, which belongs to an LF at the beginning of the next one.
    has_return: bool,
}

impl Body {
    /// A message of which `limit` bytes may be stored; `None` for any number.
    pub(crate) fn new(line_ends: LineEnds, limit: Option<u64>) -> Self {
        Self { line_ends, limit, stored: 0, has_return: false }
    }

    /// Passes a block on, with our line ends.
    pub(crate) fn block(&mut self, block: &[u8], mut to: impl FnMut(&[u8])) {
        if self.line_ends == LineEnds::Lf {
            return self.store(block, &mut to);
        }
        if std::mem::take(&mut self.has_return) && !block.starts_with(b"\n") {
            self.store(b"\r", &mut to);
        }
        let mut rest = block;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\r') {
            let (before, from) = rest.split_at(at);
            self.store(before, &mut to);
            let after = from.get(1..).unwrap_or_default();
            match after.first() {
                None => self.has_return = true,
                Some(b'\n') => {}
                Some(_) => self.store(b"\r", &mut to),
            }
            rest = after;
        }
        self.store(rest, &mut to);
    }

    /// The message has ended. Returns whether it was within its limit.
    pub(crate) fn finish(mut self, mut to: impl FnMut(&[u8])) -> bool {
        if self.has_return {
            self.store(b"\r", &mut to);
        }
        self.is_within_limit()
    }

    fn store(&mut self, bytes: &[u8], to: &mut impl FnMut(&[u8])) {
        self.stored = self.stored.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.is_within_limit() {
            to(bytes);
        }
    }

    fn is_within_limit(&self) -> bool {
        self.limit.is_none_or(|limit| self.stored <= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(message: &[u8], limit: Option<u64>, size: usize) -> (Vec<u8>, bool) {
        let mut body = Body::new(LineEnds::CrLf, limit);
        let mut output = Vec::new();
        for block in message.chunks(size) {
            body.block(block, |bytes| output.extend_from_slice(bytes));
        }
        let mut end = Vec::new();
        let within = body.finish(|bytes| end.extend_from_slice(bytes));
        (if within { [output, end].concat() } else { Vec::new() }, within)
    }

    #[test]
    fn only_a_return_before_a_line_feed_goes() {
        for size in 1..9 {
            let convert = |message: &[u8]| converted(message, None, size).0;
            assert_eq!(convert(b"a\r\nb\r\n"), b"a\nb\n");
            assert_eq!(convert(b"\r\r\n\r\rx\n\r"), b"\r\n\r\rx\n\r");
            assert_eq!(convert(b"\r\n\r\n"), b"\n\n");
        }
    }

    #[test]
    fn the_limit_counts_what_is_stored() {
        for size in 1..9 {
            assert_eq!(converted(b"a\r\nb\r\n", Some(4), size), (b"a\nb\n".to_vec(), true));
            assert!(!converted(b"a\r\nb\r\n", Some(3), size).1);
            assert!(!converted(b"abc\r", Some(3), size).1);
        }
    }

    #[test]
    fn lf_messages_stay_as_they_are() {
        let mut body = Body::new(LineEnds::Lf, Some(5));
        let mut output = Vec::new();
        body.block(b"a\r\n\r", |bytes| output.extend_from_slice(bytes));
        assert!(body.finish(|_| unreachable!()));
        assert_eq!(output, b"a\r\n\r");
    }

    #[test]
    fn the_first_byte_says_how_lines_end() {
        assert_eq!(LineEnds::try_from(b'\n'), Ok(LineEnds::Lf));
        assert_eq!(LineEnds::try_from(b'\r'), Ok(LineEnds::CrLf));
        assert_eq!(LineEnds::try_from(b'R'), Err(Broken::Malformed));
    }
}
