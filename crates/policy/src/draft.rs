//! A copy of a message in a file without a name, with room for fields before it.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

/// Bytes that are left free in front; a hole takes no space.
const ROOM: u64 = 1 << 16;

/// A copy that is being written. What belongs before it may be known only at its end.
#[derive(Debug)]
pub struct Draft {
    output: BufWriter<File>,
}

impl Draft {
    /// An empty copy, in the directory for temporary files.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn new() -> io::Result<Self> {
        let mut file = tempfile::tempfile()?;
        file.seek(SeekFrom::Start(ROOM))?;
        Ok(Self { output: BufWriter::with_capacity(1 << 16, file) })
    }

    /// Adds to its end.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)
    }

    /// Puts `front` before it, and gives the file, positioned where the message now begins.
    ///
    /// # Errors
    /// If `front` is longer than 64 KiB, and those of the file system.
    pub fn finish(self, front: &[u8]) -> io::Result<File> {
        let mut file = self.output.into_inner().map_err(io::IntoInnerError::into_error)?;
        let length = u64::try_from(front.len()).unwrap_or(u64::MAX);
        let start = ROOM.checked_sub(length).ok_or(io::ErrorKind::InvalidInput)?;
        file.seek(SeekFrom::Start(start))?;
        file.write_all(front)?;
        file.seek(SeekFrom::Start(start))?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn finished(front: &[u8]) -> io::Result<Vec<u8>> {
        let mut draft = Draft::new()?;
        draft.write(b"Subject: x\n")?;
        draft.write(b"\nbody\n")?;
        let mut text = Vec::new();
        draft.finish(front)?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn what_comes_last_stands_first() {
        assert_eq!(finished(b"A: b\n").unwrap(), b"A: b\nSubject: x\n\nbody\n");
        assert_eq!(finished(b"").unwrap(), b"Subject: x\n\nbody\n");
    }

    #[test]
    fn too_much_before_it_is_an_error() {
        assert!(finished(&vec![b'x'; 1 << 16]).is_ok());
        assert!(finished(&vec![b'x'; (1 << 16) + 1]).is_err());
    }
}
