//! Netstrings: a length in decimal, a colon, so many bytes, a comma. QMTP and QMQP are made of them.
//!
//! Lengths come from the other side: none is believed before it is checked, and no memory is taken
//! because of one.

use std::fmt;
use std::io::{self, BufRead};

/// A length that is larger than this takes no further digit.
const LARGEST_TO_EXTEND: u64 = 200_000_000;

/// `bytes` as a netstring.
pub fn encode(bytes: &[u8]) -> Vec<u8> {
    [bytes.len().to_string().as_bytes(), b":", bytes, b","].concat()
}

/// Why netstrings could not be read any further.
#[derive(Debug)]
pub enum NetstringError {
    /// The other side has closed the connection, or it broke.
    Gone,
    /// A length is no number, a comma is missing, or a netstring does not end inside the one that
    /// it is part of.
    Malformed,
    /// A length is larger than any that is meant seriously.
    TooLarge,
}

impl fmt::Display for NetstringError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Gone => "connection lost",
            Self::Malformed => "malformed netstring",
            Self::TooLarge => "netstring too large",
        })
    }
}

impl std::error::Error for NetstringError {}

/// A length that is being read, digit by digit.
#[derive(Clone, Copy, Debug, Default)]
struct Length(u64);

impl Length {
    /// Takes a byte; the length, if that was the colon behind it.
    fn take(&mut self, byte: u8) -> Result<Option<u64>, NetstringError> {
        match byte {
            b':' => Ok(Some(self.0)),
            _ if self.0 > LARGEST_TO_EXTEND => Err(NetstringError::TooLarge),
            b'0'..=b'9' => {
                self.0 = self.0 * 10 + u64::from(byte - b'0');
                Ok(None)
            }
            _ => Err(NetstringError::Malformed),
        }
    }
}

/// Reads netstrings, and netstrings of netstrings. All it holds is a buffer's worth of bytes.
#[derive(Debug)]
pub struct Netstrings<R> {
    input: R,
    /// Bytes that are left of the netstring that was [opened](Self::open).
    left: Option<u64>,
}

impl<R: BufRead> Netstrings<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Self {
        Self { input, left: None }
    }

    /// Begins a netstring: its length. Its bytes and [`Self::end`] have to follow.
    ///
    /// # Errors
    /// `Malformed` if it cannot end inside the one that it is part of.
    pub fn begin(&mut self) -> Result<u64, NetstringError> {
        let length = self.length()?;
        match self.left {
            // Its comma has to be inside, too.
            Some(left) if length >= left => Err(NetstringError::Malformed),
            _ => Ok(length),
        }
    }

    /// Begins a netstring that is made of netstrings: its length. Those that are read from now on
    /// are its parts, until it is [closed](Self::close).
    pub fn open(&mut self) -> Result<u64, NetstringError> {
        let length = self.begin()?;
        self.left = Some(length);
        Ok(length)
    }

    /// Whether there are bytes left of what was opened.
    pub fn has_more(&self) -> bool {
        self.left.is_some_and(|left| left > 0)
    }

    /// Ends what was opened, of which nothing may be left.
    pub fn close(&mut self) -> Result<(), NetstringError> {
        if self.has_more() {
            return Err(NetstringError::Malformed);
        }
        self.left = None;
        self.end()
    }

    /// Ends a netstring: its comma.
    pub fn end(&mut self) -> Result<(), NetstringError> {
        match self.byte()? {
            b',' => Ok(()),
            _ => Err(NetstringError::Malformed),
        }
    }

    /// One byte of a netstring.
    pub fn byte(&mut self) -> Result<u8, NetstringError> {
        let mut byte = 0;
        self.pass(1, |bytes| byte = bytes.first().copied().unwrap_or(0))?;
        Ok(byte)
    }

    /// Passes the next `length` bytes of a netstring on as they come.
    pub fn pass(&mut self, length: u64, mut to: impl FnMut(&[u8])) -> Result<(), NetstringError> {
        if self.left.is_some_and(|left| length > left) {
            return Err(NetstringError::Malformed);
        }
        let mut missing = length;
        while missing > 0 {
            let block = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Ok([]) | Err(_) => return Err(NetstringError::Gone),
                Ok(block) => block,
            };
            let wanted = usize::try_from(missing).unwrap_or(usize::MAX);
            let block = block.get(..wanted).unwrap_or(block);
            to(block);
            let taken = block.len();
            self.input.consume(taken);
            missing = missing.saturating_sub(u64::try_from(taken).unwrap_or(u64::MAX));
        }
        self.left = self.left.map(|left| left.saturating_sub(length));
        Ok(())
    }

    /// A whole netstring of fewer than `limit` bytes. A longer one is read and dropped: `None`.
    pub fn read(&mut self, limit: u64) -> Result<Option<Vec<u8>>, NetstringError> {
        let length = self.begin()?;
        let fits = length < limit;
        let mut bytes = Vec::new();
        self.pass(length, |block| {
            if fits {
                bytes.extend_from_slice(block);
            }
        })?;
        self.end()?;
        Ok(fits.then_some(bytes))
    }

    fn length(&mut self) -> Result<u64, NetstringError> {
        let mut length = Length::default();
        loop {
            if let Some(length) = length.take(self.byte()?)? {
                return Ok(length);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<Vec<u8>>, NetstringError> {
        Netstrings::new(bytes).read(1000)
    }

    #[test]
    fn what_is_encoded_is_read_again() {
        for bytes in [b"".as_slice(), b"hello", b"1:a,", &[0; 999]] {
            assert_eq!(read(&encode(bytes)).unwrap().unwrap(), bytes);
        }
        assert_eq!(encode(b"hello"), b"5:hello,");
    }

    #[test]
    fn a_long_one_is_dropped_and_what_follows_is_read() {
        let bytes = [encode(&[b'x'; 1000]), encode(b"next")].concat();
        let mut netstrings = Netstrings::new(bytes.as_slice());
        assert_eq!(netstrings.read(1000).unwrap(), None);
        assert_eq!(netstrings.read(1000).unwrap().unwrap(), b"next");
    }

    #[test]
    fn lengths_are_digits_and_no_larger_than_sense() {
        for bad in ["-1:a,", "1a:a,", " 1:a,", "1:a.", "1:ab,", "99999999/:"] {
            assert!(matches!(read(bad.as_bytes()), Err(NetstringError::Malformed)), "{bad}");
        }
        for large in ["2000000001:", "999999999999999999999999:", "2000000001x"] {
            let mut netstrings = Netstrings::new(large.as_bytes());
            let begun = netstrings.begin();
            assert_eq!(matches!(begun, Err(NetstringError::TooLarge)), large != "2000000001:");
        }
    }

    #[test]
    fn what_ends_too_early_is_gone() {
        for cut in ["", "5", "5:", "5:hell", "5:hello"] {
            assert!(matches!(read(cut.as_bytes()), Err(NetstringError::Gone)), "{cut}");
        }
    }

    #[test]
    fn parts_end_inside_the_whole() {
        let mut netstrings = Netstrings::new(b"8:1:a,2:b,,".as_slice());
        assert_eq!(netstrings.open().unwrap(), 8);
        assert_eq!(netstrings.read(9).unwrap().unwrap(), b"a");
        assert!(matches!(netstrings.read(9), Err(NetstringError::Malformed)));

        let mut netstrings = Netstrings::new(b"8:1:a,1:b,,rest".as_slice());
        netstrings.open().unwrap();
        while netstrings.has_more() {
            assert!(netstrings.read(9).unwrap().is_some());
        }
        netstrings.close().unwrap();
        assert_eq!(netstrings.byte().unwrap(), b'r');
    }

    #[test]
    fn a_length_may_not_run_out_of_the_whole() {
        for bad in ["1:1:a,,", "2:1:a,,", "4:4:a,,,", "0:1:a,,"] {
            let mut netstrings = Netstrings::new(bad.as_bytes());
            netstrings.open().unwrap();
            assert!(matches!(netstrings.read(9), Err(NetstringError::Malformed)), "{bad}");
        }
        let mut netstrings = Netstrings::new(b"5:1:a,x,".as_slice());
        netstrings.open().unwrap();
        netstrings.read(9).unwrap();
        assert!(matches!(netstrings.close(), Err(NetstringError::Malformed)));
    }
}
