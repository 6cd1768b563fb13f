//! How many hosts a message has been through.

/// As many bytes of a line as have to be known.
const LONGEST_NAME: usize = 9;

/// Counts the trace fields of a message, which comes block by block with LF line ends.
#[derive(Debug, Default)]
pub struct HopCounter {
    hops: u32,
    in_body: bool,
    /// The first bytes of the present line.
    start: Vec<u8>,
}

impl HopCounter {
    /// A counter at the beginning of a message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at the next block; returns the number of hops so far.
    ///
    /// Quirk: every header line that begins with `received` or `delivered` is a hop, so
    /// `Received-SPF` is one too.
    pub fn count(&mut self, block: &[u8]) -> u32 {
        if self.in_body {
            return self.hops;
        }
        let mut parts = block.split(|byte| *byte == b'\n');
        // What follows the last LF belongs to a line that the next block may go on with.
        let last = parts.next_back().unwrap_or_default();
        for part in parts {
            if self.in_body {
                break;
            }
            self.extend(part);
            self.end_line();
        }
        self.extend(last);
        self.hops
    }

    fn extend(&mut self, part: &[u8]) {
        let missing = LONGEST_NAME.saturating_sub(self.start.len()).min(part.len());
        self.start.extend_from_slice(part.get(..missing).unwrap_or_default());
    }

    fn end_line(&mut self) {
        self.in_body = self.start.is_empty();
        let begins = |name: &[u8]| {
            self.start.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        };
        if begins(b"received") || begins(b"delivered") {
            self.hops = self.hops.saturating_add(1);
        }
        self.start.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] =
        b"ReceiVed: a\nX-Received: b\nDELIVERED\nreceive\n continued\nreceived-SPF: c\n\nReceived: d\n";

    #[test]
    fn trace_fields_of_the_header_count_and_nothing_else() {
        assert_eq!(HopCounter::new().count(MESSAGE), 3);
        assert_eq!(HopCounter::new().count(b"\nReceived: x\n"), 0);
    }

    #[test]
    fn blocks_may_end_anywhere() {
        for size in 1..20 {
            let mut counter = HopCounter::new();
            let counts = MESSAGE.chunks(size).map(|block| counter.count(block));
            assert_eq!(counts.last(), Some(3), "blocks of {size}");
        }
    }
}
