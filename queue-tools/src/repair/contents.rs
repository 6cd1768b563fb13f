//! Whether a file holds what qmail writes there.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind};
use std::path::Path;

use qmail_core::queue::Records;

use super::areas::Kind;

/// Whether the file at `path` is whole, as far as can be told.
pub(super) fn is_sound(kind: Kind, path: &Path) -> io::Result<bool> {
    let known: &[u8] = match kind {
        Kind::Envelope => b"upFT",
        Kind::Info => b"F",
        Kind::Recipients => b"TD",
        // One may be unfinished, the others are any text.
        Kind::EnvelopeInProgress | Kind::Message | Kind::Bounce => return Ok(true),
    };
    let mut has_sender = false;
    for record in Records::new(BufReader::new(File::open(path)?)) {
        match record {
            Ok(record) if known.contains(&record.letter) => has_sender |= record.letter == b'F',
            Ok(_) => return Ok(false),
            Err(error)
                if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData) =>
            {
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(has_sender || kind == Kind::Recipients)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn sound(kind: Kind, contents: &[u8]) -> bool {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(contents).unwrap();
        is_sound(kind, file.path()).unwrap()
    }

    #[test]
    fn whole_files_are_told_from_damaged_ones() {
        assert!(sound(Kind::Envelope, b"u1\0p2\0F\0Ta@b\0"));
        assert!(!sound(Kind::Envelope, b"u1\0p2\0"));
        assert!(!sound(Kind::Envelope, b"u1\0p2\0F\0Ta@"));
        assert!(sound(Kind::Info, b"Fa@b\0"));
        assert!(!sound(Kind::Info, b""));
        assert!(sound(Kind::Recipients, b"Ta\0Db\0"));
        assert!(!sound(Kind::Recipients, b"Ta\0\0\0\0"));
        assert!(sound(Kind::Message, b"\0"));
    }
}
