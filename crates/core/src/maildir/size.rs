//! How large a message is, on disk and as POP3 and IMAP send it.

use qmail_wire::pop3::SizeCounter;

/// The size of a message that is being written.
#[derive(Debug, Default)]
pub(super) struct Size {
    bytes: u64,
    sent: SizeCounter,
}

impl Size {
    /// Counts more of it.
    pub(super) fn count(&mut self, bytes: &[u8]) {
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.sent.count(bytes);
    }

    /// Bytes of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What a file name tells of it: `S` is the size of the file, and `W` that with CR LF at the
    /// end of each line, which is left out where a last line has no end, for readers differ in that.
    pub(super) fn suffix(&self) -> String {
        match self.sent.octets_of_lines() {
            Some(octets) => format!(",S={},W={octets}", self.bytes),
            None => format!(",S={}", self.bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_both_sizes_if_all_lines_are_whole() {
        let suffix = |pieces: &[&str]| {
            let mut size = Size::default();
            pieces.iter().for_each(|piece| size.count(piece.as_bytes()));
            size.suffix()
        };
        assert_eq!(suffix(&["A: b\n", "\nc\n"]), ",S=8,W=11");
        assert_eq!(suffix(&["A: b\r", "\nc\r\n"]), ",S=9,W=9");
        assert_eq!(suffix(&["A: b\n\nc"]), ",S=7");
        assert_eq!(suffix(&[]), ",S=0,W=0");
    }
}
