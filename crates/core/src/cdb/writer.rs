//! Making a constant database.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};

use super::{HEADER, TABLES, hash};

/// A database that is being written. Until [`Self::finish`] it is no database.
///
/// To put it in its place is the caller's work: write to another name, finish, sync, rename.
#[derive(Debug)]
pub struct CdbWriter<W: Write + Seek> {
    output: BufWriter<W>,
    /// Where the next byte goes; the format has no positions of 4 GiB and more.
    position: u32,
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    hash: u32,
    /// 0 in a slot that is empty.
    record: u32,
}

impl<W: Write + Seek> CdbWriter<W> {
    /// Starts a database in an empty file.
    pub fn new(output: W) -> io::Result<Self> {
        let mut writer = Self {
            output: BufWriter::with_capacity(65_536, output),
            position: 0,
            slots: Vec::new(),
        };
        // Zeros until the tables are known.
        for _ in 0..TABLES {
            writer.put_pair(0, 0)?;
        }
        Ok(writer)
    }

    /// Adds a record. Of several with the same key, readers find the first.
    ///
    /// # Errors
    /// `FileTooLarge` from 4 GiB on, and those of writing.
    pub fn add(&mut self, key: &[u8], data: &[u8]) -> io::Result<()> {
        self.slots.push(Slot { hash: hash(key), record: self.position });
        self.put_pair(length(key.len())?, length(data.len())?)?;
        self.put(key)?;
        self.put(data)
    }

    /// Writes the tables, and gives the file back to be synced.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn finish(mut self) -> io::Result<W> {
        let mut buckets = vec![Vec::new(); usize::try_from(TABLES).unwrap_or_default()];
        for slot in &self.slots {
            let number = usize::try_from(slot.hash % TABLES).unwrap_or_default();
            if let Some(bucket) = buckets.get_mut(number) {
                bucket.push(*slot);
            }
        }
        let mut header = Vec::with_capacity(usize::try_from(HEADER).unwrap_or_default());
        for bucket in &buckets {
            let table = table(bucket);
            header.extend_from_slice(&self.position.to_le_bytes());
            header.extend_from_slice(&length(table.len())?.to_le_bytes());
            for slot in table {
                self.put_pair(slot.hash, slot.record)?;
            }
        }
        let mut output = self.output.into_inner().map_err(io::IntoInnerError::into_error)?;
        output.seek(SeekFrom::Start(0))?;
        output.write_all(&header)?;
        output.flush()?;
        Ok(output)
    }

    fn put_pair(&mut self, first: u32, second: u32) -> io::Result<()> {
        self.put(&first.to_le_bytes())?;
        self.put(&second.to_le_bytes())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let end = self.position.checked_add(length(bytes.len())?).ok_or_else(too_large)?;
        self.output.write_all(bytes)?;
        self.position = end;
        Ok(())
    }
}

/// The slots of one table: twice as many as records, so that every search meets an empty one.
fn table(bucket: &[Slot]) -> Vec<Slot> {
    let mut table = vec![Slot::default(); bucket.len().saturating_mul(2)];
    for slot in bucket {
        let start = usize::try_from(slot.hash >> 8).ok().and_then(|h| h.checked_rem(table.len()));
        let (before, after) = table.split_at_mut(start.unwrap_or_default());
        let free = after.iter_mut().chain(before).find(|place| place.record == 0);
        if let Some(place) = free {
            *place = *slot;
        }
    }
    table
}

fn length(length: usize) -> io::Result<u32> {
    u32::try_from(length).map_err(|_| too_large())
}

fn too_large() -> io::Error {
    io::ErrorKind::FileTooLarge.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that only counts.
    #[derive(Debug)]
    struct Nowhere;

    impl Write for Nowhere {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Nowhere {
        fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
            Ok(0)
        }
    }

    #[test]
    fn four_gibibytes_are_too_many() {
        let mut writer = CdbWriter::new(Nowhere).unwrap();
        writer.position = u32::MAX - 20;
        writer.add(b"key", b"data").unwrap();
        let error = writer.add(b"key", b"data").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(writer.finish().unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
