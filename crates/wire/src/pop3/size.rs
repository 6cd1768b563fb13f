//! How large a message is when it is sent.

/// Counts the octets of a message as RETR sends it: with CR LF at the end of each line and the
/// empty line at its end, without the dots that only the wire has (RFC 1939 §11).
#[derive(Clone, Copy, Debug, Default)]
pub struct SizeCounter {
    octets: u64,
    ends_in_cr: bool,
    in_line: bool,
}

impl SizeCounter {
    /// A counter at the beginning of a message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts the next block.
    pub fn count(&mut self, block: &[u8]) {
        let Some(last) = block.last() else { return };
        let line_ends = block.iter().filter(|byte| **byte == b'\n').count();
        let complete = if block.contains(&b'\r') || self.ends_in_cr {
            let split = usize::from(self.ends_in_cr && block.starts_with(b"\n"));
            split + block.windows(2).filter(|pair| pair == b"\r\n").count()
        } else {
            0
        };
        let octets = block.len() + line_ends - complete;
        self.octets = self.octets.saturating_add(u64::try_from(octets).unwrap_or(u64::MAX));
        self.ends_in_cr = *last == b'\r';
        self.in_line = *last != b'\n';
    }

    /// The octets of the message itself, unless its last line has no end.
    pub fn octets_of_lines(&self) -> Option<u64> {
        (!self.in_line).then_some(self.octets)
    }

    /// The size of what was counted.
    pub fn total(self) -> u64 {
        let line_end = match (self.in_line, self.ends_in_cr) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => 2,
        };
        self.octets.saturating_add(line_end + 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pop3::MessageEncoder;

    #[test]
    fn it_is_what_the_encoder_sends_however_the_blocks_are_cut() {
        let messages = [
            "",
            "a",
            "a\n",
            "a\r\n",
            "a\r",
            "\n\n",
            "\r\r\n\r",
            "H: x\n\nb\r\nc",
            "\n\r",
            "a\rb\n",
        ];
        for message in messages {
            let mut encoder = MessageEncoder::new(None);
            let mut wire = Vec::new();
            encoder.encode(message.as_bytes(), &mut wire);
            encoder.finish(&mut wire);
            let sent = u64::try_from(wire.len() - 3).unwrap();
            for size in 1..=message.len().max(1) {
                let mut counter = SizeCounter::new();
                message.as_bytes().chunks(size).for_each(|block| counter.count(block));
                assert_eq!(counter.total(), sent, "{message:?} in blocks of {size}");
            }
        }
    }
}
