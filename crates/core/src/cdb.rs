//! Constant databases: `users/cdb` and `control/morercpthosts.cdb`.
//!
//! The format is the public one, so that everybody's tools read and write the files. A damaged or
//! truncated file is an error, never "not found": every position is checked against the size, and
//! the file is read, not mapped, since a mapping kills the reader when the file shrinks.

mod writer;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

pub use writer::CdbWriter;

/// Where the records begin: behind position and length of 256 tables.
const HEADER: u32 = 2048;
const TABLES: u32 = 256;

/// A database that is open for reading. It stays the same when another is renamed over it.
#[derive(Debug)]
pub struct Cdb {
    file: File,
    size: u64,
}

impl Cdb {
    /// Opens the database at `path`.
    ///
    /// # Errors
    /// `NotFound` if there is none, which is often no error to the caller; `InvalidData` if it is
    /// not a file.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(damaged());
        }
        Ok(Self { file, size: metadata.len() })
    }

    /// The data of the first record with this key.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged or truncated where we look.
    pub fn get(&self, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let hash = hash(key);
        let (table, length) = self.pair_at(u64::from(hash % TABLES) * 8)?;
        if u64::from(table) + u64::from(length) * 8 > self.size {
            return Err(damaged());
        }
        let Some(start) = (hash >> 8).checked_rem(length) else { return Ok(None) };
        for slot in (start..length).chain(0..start) {
            let (slot_hash, record) = self.pair_at(u64::from(table) + u64::from(slot) * 8)?;
            if record == 0 {
                return Ok(None);
            }
            if slot_hash == hash
                && let Some(data) = self.data_if(record, key)?
            {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// The data of the record at `position`, if it has this key.
    fn data_if(&self, position: u32, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let (key_length, data_length) = self.pair_at(position.into())?;
        let key_position = u64::from(position) + 8;
        let data_position = key_position + u64::from(key_length);
        if position < HEADER || data_position + u64::from(data_length) > self.size {
            return Err(damaged());
        }
        if usize::try_from(key_length) != Ok(key.len())
            || self.read(key_position, key_length)? != key
        {
            return Ok(None);
        }
        self.read(data_position, data_length).map(Some)
    }

    /// `length` has been checked against the size: no more memory is taken than the file has bytes.
    fn read(&self, position: u64, length: u32) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| damaged())?];
        self.file.read_exact_at(&mut bytes, position)?;
        Ok(bytes)
    }

    fn pair_at(&self, position: u64) -> io::Result<(u32, u32)> {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, position)?;
        let [a, b, c, d, e, f, g, h] = bytes;
        Ok((u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])))
    }
}

fn damaged() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

fn hash(key: &[u8]) -> u32 {
    let step = |hash: u32, byte: &u8| (hash << 5).wrapping_add(hash) ^ u32::from(*byte);
    key.iter().fold(5381, step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    fn database(records: &[(&[u8], &[u8])]) -> (tempfile::NamedTempFile, Vec<u8>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer = CdbWriter::new(file.reopen().unwrap()).unwrap();
        for (key, data) in records {
            writer.add(key, data).unwrap();
        }
        writer.finish().unwrap();
        let bytes = std::fs::read(file.path()).unwrap();
        (file, bytes)
    }

    fn changed(bytes: &[u8]) -> (tempfile::NamedTempFile, Cdb) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let cdb = Cdb::open(file.path()).unwrap();
        (file, cdb)
    }

    #[test]
    fn every_record_is_found_and_nothing_else() {
        let keys: Vec<Vec<u8>> = (0..2000).map(|n| format!("key{n}").into_bytes()).collect();
        let records: Vec<(&[u8], &[u8])> = keys.iter().map(|key| (&**key, &key[3..])).collect();
        let (file, _) = database(&records);
        let cdb = Cdb::open(file.path()).unwrap();
        for (key, data) in records {
            assert_eq!(cdb.get(key).unwrap().as_deref(), Some(data));
        }
        assert_eq!(cdb.get(b"key2000").unwrap(), None);
        assert_eq!(cdb.get(b"").unwrap(), None);
    }

    #[test]
    fn the_first_of_equal_keys_wins() {
        let (file, _) = database(&[(b"k", b"one"), (b"k", b"two")]);
        assert_eq!(Cdb::open(file.path()).unwrap().get(b"k").unwrap().unwrap(), b"one");
    }

    #[test]
    fn the_smallest_users_cdb_has_2072_bytes() {
        let (_, bytes) = database(&[(b"", b"")]);
        assert_eq!(bytes.len(), 2072);
        assert_eq!(bytes[5 * 8..6 * 8], [8, 8, 0, 0, 2, 0, 0, 0]);
        assert_eq!(bytes[2064..], [0x05, 0x15, 0, 0, 0, 8, 0, 0]);
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error_or_tells_the_truth() {
        let (_, bytes) = database(&[(b"key", b"data"), (b"", b"-")]);
        for length in 0..bytes.len() {
            let (_file, cdb) = changed(&bytes[..length]);
            assert_ne!(cdb.get(b"").ok(), Some(None), "cut at {length}");
            assert_ne!(cdb.get(b"key").ok(), Some(None), "cut at {length}");
        }
    }

    #[test]
    fn positions_and_lengths_outside_the_file_are_errors() {
        let (_, bytes) = database(&[(b"key", b"data")]);
        let table = usize::try_from(hash(b"key") % 256 * 8).unwrap();
        for at in [table, table + 4, 2048, 2052] {
            let mut bytes = bytes.clone();
            bytes[at..at + 4].copy_from_slice(&[0xff; 4]);
            assert!(changed(&bytes).1.get(b"key").is_err(), "field at {at}");
        }
    }

    #[test]
    fn a_table_without_an_empty_slot_ends_the_search() {
        let (_, mut bytes) = database(&[(b"key", b"data")]);
        let table = bytes.len() - 16;
        let full = [1, 0, 0, 0, 0, 8, 0, 0];
        bytes[table..table + 8].copy_from_slice(&full);
        bytes[table + 8..].copy_from_slice(&full);
        assert_eq!(changed(&bytes).1.get(b"key").unwrap(), None);
    }

    #[test]
    fn a_file_that_shrinks_while_it_is_open_is_an_error() {
        let (file, bytes) = database(&[(b"key", b"data")]);
        let cdb = Cdb::open(file.path()).unwrap();
        file.as_file().set_len(u64::try_from(bytes.len() - 16).unwrap()).unwrap();
        assert!(cdb.get(b"key").is_err());
    }

    #[test]
    fn a_directory_is_no_database() {
        assert_eq!(Cdb::open("/").unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(Cdb::open("/nonexistent").unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn the_public_tool_writes_the_same_bytes_and_reads_ours() {
        let ours = tempfile::tempdir().unwrap();
        let theirs = ours.path().join("theirs");
        let Ok(mut tool) = Command::new("cdb").arg("-c").arg(&theirs).stdin(Stdio::piped()).spawn()
        else {
            println!("not compared: there is no cdb on this machine (Debian package tinycdb)");
            return;
        };
        let mut input = tool.stdin.take().unwrap();
        input.write_all(b"+3,4:key->data\n+0,1:->-\n+3,5:key->again\n\n").unwrap();
        drop(input);
        assert!(tool.wait().unwrap().success());
        let (file, bytes) = database(&[(b"key", b"data"), (b"", b"-"), (b"key", b"again")]);
        assert_eq!(Cdb::open(&theirs).unwrap().get(b"key").unwrap().unwrap(), b"data");
        assert_eq!(std::fs::read(&theirs).unwrap(), bytes);
        let mut query = Command::new("cdb");
        let output = query.args(["-q", "-n", "1"]).arg(file.path()).arg("key").output().unwrap();
        assert_eq!(output.stdout, b"data");
    }
}
