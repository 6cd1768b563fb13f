//! Reading ahead, with as much memory as what comes needs.
//!
//! A session that waits for its client has a buffer, too, and there are many of them: so it begins
//! small, and grows with a client who fills it. (`BufReader` clears all of its buffer before the
//! first byte comes.)

use std::io::{self, Read};
use std::ops::Range;

/// How much is read at once at first.
const FIRST: usize = 4096;

/// A reader, and what was read of it and not yet used.
#[derive(Debug)]
pub(crate) struct ReadAhead<R> {
    inner: R,
    buffer: Vec<u8>,
    /// Where in the buffer that is.
    unread: Range<usize>,
    /// The largest buffer.
    limit: usize,
}

impl<R: Read> ReadAhead<R> {
    /// Reads up to `limit` bytes at once, but at least one.
    pub(crate) fn new(inner: R, limit: usize) -> Self {
        Self { inner, buffer: Vec::new(), unread: 0..0, limit: limit.max(1) }
    }

    /// What is there without waiting.
    pub(crate) fn buffer(&self) -> &[u8] {
        self.buffer.get(self.unread.clone()).unwrap_or_default()
    }

    /// What is there, at least a byte unless this is the end.
    pub(crate) fn fill(&mut self) -> io::Result<&[u8]> {
        if self.unread.is_empty() {
            // What was read last ended where the buffer did: there is more where that came from.
            if self.unread.end == self.buffer.len() {
                let size = self.buffer.len().saturating_mul(4).max(FIRST).min(self.limit);
                self.buffer.resize(size, 0);
            }
            self.unread = 0..0;
            self.unread.end = self.inner.read(&mut self.buffer)?;
        }
        Ok(self.buffer())
    }

    /// Takes the first `length` bytes of what is there as used.
    pub(crate) fn consume(&mut self, length: usize) {
        self.unread.start = self.unread.start.saturating_add(length).min(self.unread.end);
    }

    /// The reader below.
    pub(crate) fn get_ref(&self) -> &R {
        &self.inner
    }

    /// The reader below, without what was read ahead.
    pub(crate) fn into_inner(self) -> R {
        self.inner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_comes_in_its_order_and_the_buffer_grows_with_it() {
        let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
        let mut ahead = ReadAhead::new(bytes.as_slice(), 65_536);
        let (mut read, mut sizes) = (Vec::new(), Vec::new());
        loop {
            let block = ahead.fill().unwrap();
            let used = block.len().div_ceil(2);
            read.extend_from_slice(&block[..used]);
            ahead.consume(used);
            if used == 0 {
                break;
            }
            sizes.push(ahead.buffer.len());
        }
        assert!(read == bytes);
        sizes.dedup();
        assert_eq!(sizes, [4096, 16_384, 65_536]);
    }

    #[test]
    fn it_stays_small_for_a_client_who_says_little_and_reads_no_more_than_it_may() {
        let mut ahead = ReadAhead::new(io::Read::chain(&b"NOOP\r\n"[..], &b"QUIT\r\n"[..]), 65_536);
        for expected in [&b"NOOP\r\n"[..], b"QUIT\r\n", b"", b""] {
            assert_eq!(ahead.fill().unwrap(), expected);
            assert_eq!(ahead.buffer(), expected);
            ahead.consume(expected.len());
            assert!(ahead.buffer().is_empty());
        }
        assert_eq!(ahead.buffer.len(), 4096);
        let mut single = ReadAhead::new(&b"ab"[..], 1);
        assert_eq!(single.fill().unwrap(), b"a");
        assert_eq!(single.into_inner(), b"b");
    }
}
