//! Constant databases.

use std::io::{Cursor, Write};

use qmail_core::cdb::{Cdb, CdbWriter};
use tempfile::NamedTempFile;

use crate::contains;

fn open(bytes: &[u8]) -> (NamedTempFile, Cdb) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let database = Cdb::open(file.path()).unwrap();
    (file, database)
}

/// What is written is found, the first of each key and nothing else; a damaged file gives an error,
/// or what it has.
pub(crate) fn cdb(bytes: &[u8]) {
    let records: Vec<(&[u8], &[u8])> =
        bytes.split(|byte| *byte == 0).map(|record| record.split_at(record.len() / 2)).collect();
    let mut writer = CdbWriter::new(Cursor::new(Vec::new())).unwrap();
    for (key, data) in &records {
        writer.add(key, data).unwrap();
    }
    let written = writer.finish().unwrap().into_inner();
    let (_file, database) = open(&written);
    for (key, _) in &records {
        let first = records.iter().find(|(other, _)| other == key).map(|(_, data)| data.to_vec());
        assert_eq!(database.get(key).unwrap(), first);
    }
    let unknown = [bytes, b"\0"].concat();
    assert_eq!(database.get(&unknown).unwrap(), None);

    let damaged = overwritten(&written, bytes);
    for file in [bytes, &damaged, &written[..written.len() / 2]] {
        let (_file, database) = open(file);
        for (key, _) in &records {
            if let Ok(Some(data)) = database.get(key) {
                assert!(contains(file, &data));
            }
        }
    }
}

/// A database with some of its bytes changed, here and there.
fn overwritten(database: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut damaged = database.to_vec();
    for change in bytes.chunks_exact(3) {
        let at = usize::from(change[0]) << 8 | usize::from(change[1]);
        let place = at % damaged.len();
        damaged[place] ^= change[2];
    }
    damaged
}
