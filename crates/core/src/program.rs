//! The file of a program, and whether it can stay.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use qmail_wire::stay::{IDENTITY, Service, greeting};

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

    /// What it says first when it is to stay. A wrapper that becomes it says this, too, and is told
    /// from it by that.
    pub fn greeting(self, service: &Service) -> Vec<u8> {
        let (changed, nanoseconds) = self.changed;
        let words =
            [self.file.0, self.file.1, changed.cast_unsigned(), nanoseconds.cast_unsigned()];
        let mut identity = [0; IDENTITY];
        for (bytes, word) in identity.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_ne_bytes());
        }
        greeting(service, identity)
    }
}

/// The greeting of the program that this process runs.
///
/// # Errors
/// `NotFound` where there is no proc(5).
pub fn own_greeting(service: &Service) -> io::Result<Vec<u8>> {
    let program = Program::at(Path::new("/proc/self/exe")).ok_or(ErrorKind::NotFound)?;
    Ok(program.greeting(service))
}

/// Whether the program in this file can stay, as far as that can be read there. What may be run but
/// not read is no script, and can be asked.
pub(crate) fn may_stay(path: &Path, service: &Service) -> bool {
    match File::open(path) {
        Ok(mut file) => has_mark(&mut file, service.mark).unwrap_or(false),
        Err(error) => error.kind() == ErrorKind::PermissionDenied,
    }
}

fn has_mark(file: &mut impl Read, mark: &[u8]) -> io::Result<bool> {
    let mut bytes = Vec::with_capacity(BLOCK + mark.len());
    let mut is_first = true;
    loop {
        let read = file.by_ref().take(BLOCK as u64).read_to_end(&mut bytes)?;
        if read == 0 || (is_first && !bytes.starts_with(ELF)) {
            return Ok(false);
        }
        if bytes.windows(mark.len()).any(|window| window == mark) {
            return Ok(true);
        }
        is_first = false;
        // It may have begun at the end of this block.
        bytes.drain(..bytes.len().saturating_sub(mark.len() - 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: Service = Service { mark: b"can stay 1\0", argument: "--stay", room: 0 };

    #[test]
    fn a_program_can_stay_whose_file_says_so() {
        let mark = SERVICE.mark;
        let of = |start: &[u8], before: usize| {
            let file = [start, &vec![b'x'; before], mark, b"more"].concat();
            has_mark(&mut file.as_slice(), mark).unwrap()
        };
        for before in (0..40).chain(BLOCK - 40..BLOCK + 40).chain([5 * BLOCK - 9]) {
            assert!(of(ELF, before), "{before}");
        }
        assert!(!of(b"#!/bin/sh\n# ", 0));
        assert!(!has_mark(&mut &ELF[..], mark).unwrap());
        assert!(!has_mark(&mut [ELF, &mark[..mark.len() - 1]].concat().as_slice(), mark).unwrap());
        assert!(!may_stay(Path::new("/nonexistent"), &SERVICE));
    }

    #[test]
    fn a_greeting_says_which_file_it_is_of() {
        let program = std::env::current_exe().unwrap();
        let greeting = Program::at(&program).unwrap().greeting(&SERVICE);
        assert_eq!(own_greeting(&SERVICE).unwrap(), greeting);
        assert!(greeting.starts_with(SERVICE.mark));
        let other = Program::at(Path::new("/bin/sh")).unwrap().greeting(&SERVICE);
        assert_ne!(other, greeting);
    }
}
