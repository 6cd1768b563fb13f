//! Files made of records: a letter, a value, a NUL.

use std::fs::File;
use std::io::{self, BufRead};
use std::os::unix::fs::FileExt;

/// A longer record is not one that qmail-queue wrote.
const LIMIT: usize = 65_536;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Offset of its letter in the file.
    pub offset: u64,
    /// `u`, `p`, `F` or `T` in an envelope; `F` in info; `T` or `D` in a recipient file.
    pub letter: u8,
    /// What follows the letter.
    pub value: Vec<u8>,
}

/// The records of a file, in order.
///
/// A file that ends within a record was cut off: that is an error, `UnexpectedEof`, as is a record
/// longer than 64 KiB, `InvalidData`.
#[derive(Debug)]
pub struct Records<R> {
    reader: R,
    offset: u64,
}

impl<R: BufRead> Records<R> {
    /// From the beginning of a file.
    pub fn new(reader: R) -> Self {
        Self::from(reader, 0)
    }

    /// From further on in a file, whose reader stands at `offset`.
    pub fn from(reader: R, offset: u64) -> Self {
        Self { reader, offset }
    }

    /// Where the next record begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    fn read(&mut self) -> io::Result<Option<Record>> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(LIMIT).unwrap_or(u64::MAX);
        let length = io::Read::take(&mut self.reader, limit).read_until(0, &mut bytes)?;
        if length == 0 {
            return Ok(None);
        }
        if bytes.pop() != Some(0) {
            let cut = if length == LIMIT {
                io::ErrorKind::InvalidData
            } else {
                io::ErrorKind::UnexpectedEof
            };
            return Err(cut.into());
        }
        let offset = self.offset;
        self.offset += u64::try_from(length).unwrap_or(u64::MAX);
        // A lone NUL is a record without a letter, which no reader knows.
        let letter = bytes.first().copied().unwrap_or(0);
        Ok(Some(Record { offset, letter, value: bytes.get(1..).unwrap_or_default().to_vec() }))
    }
}

impl<R: BufRead> Iterator for Records<R> {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// Turns the `T` at `offset` into a `D`: that recipient has had his verdict.
pub fn mark_done(recipients: &File, offset: u64) -> io::Result<()> {
    recipients.write_all_at(b"D", offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_carry_their_offsets() {
        let records: Vec<Record> =
            Records::new(b"Ta@b\0Dc\0".as_slice()).map(Result::unwrap).collect();
        assert_eq!(records[0], Record { offset: 0, letter: b'T', value: b"a@b".to_vec() });
        assert_eq!(records[1], Record { offset: 5, letter: b'D', value: b"c".to_vec() });
    }

    #[test]
    fn what_was_cut_off_is_an_error() {
        let kind = |bytes: &[u8]| Records::new(bytes).find_map(Result::err).unwrap().kind();
        assert_eq!(kind(b"Ta\0Tb"), io::ErrorKind::UnexpectedEof);
        assert_eq!(kind(&vec![b'T'; 100_000]), io::ErrorKind::InvalidData);
    }
}
