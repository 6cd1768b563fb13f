//! The file of a program.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use qmail_wire::fork_server::MARK;

/// Bytes that are read at once.
const BLOCK: usize = 1 << 16;
/// What the file of a program begins with that is no script: see elf(5).
const ELF: &[u8] = b"\x7fELF";

/// What tells a program from the one that takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    file: (u64, u64),
    changed: (i64, i64),
}

impl Program {
    /// The program in this file; `None` if nothing can be said of it.
    pub fn at(path: &Path) -> Option<Self> {
        let file = std::fs::metadata(path).ok()?;
        Some(Self { file: (file.dev(), file.ino()), changed: (file.ctime(), file.ctime_nsec()) })
    }
}

/// Whether the program in this file can stay, as far as we may read it.
pub(crate) fn can_stay(path: &Path) -> bool {
    File::open(path).is_ok_and(|mut file| has_mark(&mut file).unwrap_or(false))
}

fn has_mark(file: &mut impl Read) -> io::Result<bool> {
    let mut bytes = Vec::with_capacity(BLOCK + MARK.len());
    let mut is_first = true;
    loop {
        let read = file.by_ref().take(BLOCK as u64).read_to_end(&mut bytes)?;
        if read == 0 || (is_first && !bytes.starts_with(ELF)) {
            return Ok(false);
        }
        if bytes.windows(MARK.len()).any(|window| window == MARK) {
            return Ok(true);
        }
        is_first = false;
        // It may have begun at the end of this block.
        bytes.drain(..bytes.len().saturating_sub(MARK.len() - 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_can_stay_whose_file_says_so() {
        let of = |start: &[u8], before: usize| {
            let file = [start, &vec![b'x'; before], MARK, b"more"].concat();
            has_mark(&mut file.as_slice()).unwrap()
        };
        for before in (0..40).chain(BLOCK - 40..BLOCK + 40).chain([5 * BLOCK - 9]) {
            assert!(of(ELF, before), "{before}");
        }
        assert!(!of(b"#!/bin/sh\n# ", 0));
        assert!(!has_mark(&mut &ELF[..]).unwrap());
        assert!(!has_mark(&mut [ELF, &MARK[..MARK.len() - 1]].concat().as_slice()).unwrap());
        assert!(!can_stay(Path::new("/nonexistent")));
    }
}
