//! Messages and envelopes that are read more than once: in files without a name.

use std::fs::File;
use std::io::{self, Seek};

/// An empty file that is gone when it is closed.
pub fn empty() -> io::Result<File> {
    tempfile::tempfile()
}

/// All that `input` has, from the start, and how much that is.
pub fn take(mut input: impl io::Read) -> io::Result<(File, u64)> {
    let mut file = empty()?;
    let length = io::copy(&mut input, &mut file)?;
    file.rewind()?;
    Ok((file, length))
}
