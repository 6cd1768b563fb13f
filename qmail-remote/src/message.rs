//! What is known of the message before it is sent.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::FileExt;

use qmail_core::blocks::Blocks;

/// As much of a message is searched for bytes beyond ASCII. A longer one is taken to have some:
/// to say so of a message that has none costs nothing.
const SEARCHED: usize = 1 << 20;

/// What is known of the message before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Bytes, before line ends grow to two; `None` if it comes through a pipe.
    pub(crate) length: Option<u64>,
    /// Whether it may have bytes beyond ASCII.
    pub(crate) eight_bit: bool,
}

impl Facts {
    /// Looks at a message from where it will be read, and leaves it there.
    pub(crate) fn of(mut file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(Self { length: None, eight_bit: true });
        }
        let start = file.stream_position()?;
        let length = metadata.len().saturating_sub(start);
        Ok(Self { length: Some(length), eight_bit: has_eight_bit(file, start)? })
    }
}

fn has_eight_bit(file: &File, start: u64) -> io::Result<bool> {
    let mut blocks = Blocks::new(Positioned { file, offset: start });
    let mut seen = 0;
    while seen < SEARCHED {
        match blocks.next_block()? {
            None => return Ok(false),
            Some(block) if !block.is_ascii() => return Ok(true),
            Some(block) => seen += block.len(),
        }
    }
    Ok(true)
}

/// Reads a file from an offset on, and leaves its position where it is.
struct Positioned<'f> {
    file: &'f File,
    offset: u64,
}

impl Read for Positioned<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read_at(buffer, self.offset)?;
        self.offset = self.offset.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(text: &[u8], position: u64) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        file.seek(io::SeekFrom::Start(position)).unwrap();
        file
    }

    #[test]
    fn a_message_counts_from_where_it_will_be_read() {
        let mut file = file(b"\xe9abc\n", 1);
        assert_eq!(Facts::of(&file).unwrap(), Facts { length: Some(4), eight_bit: false });
        let mut text = Vec::new();
        file.read_to_end(&mut text).unwrap();
        assert_eq!(text, b"abc\n");
    }

    #[test]
    fn bytes_beyond_ascii_are_found_and_assumed_in_what_is_long() {
        let late = [vec![b'a'; 100_000], vec![0xe9]].concat();
        assert!(Facts::of(&file(&late, 0)).unwrap().eight_bit);
        assert!(!Facts::of(&file(&late[..100_000], 0)).unwrap().eight_bit);
        assert!(Facts::of(&file(&vec![b'a'; SEARCHED], 0)).unwrap().eight_bit);
    }

    #[test]
    fn of_a_pipe_nothing_is_known() {
        let pipe = File::from(qmail_sys::pipe().unwrap().read);
        assert_eq!(Facts::of(&pipe).unwrap(), Facts { length: None, eight_bit: true });
    }
}
