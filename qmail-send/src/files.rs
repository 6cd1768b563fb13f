//! The files of a message.

mod append;
mod open;
mod standing;

pub(crate) use append::append;
pub(crate) use open::{OpenMessage, Recipients, open_message, read_info};
pub(crate) use standing::{Standing, standing};

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::schedule::Time;

/// What there is to know about a file; `None` if there is none.
pub(crate) fn look(path: &Path) -> io::Result<Option<Metadata>> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// When a file was last written; before 1970 is 1970.
pub(crate) fn modified(metadata: &Metadata) -> Time {
    Time::try_from(metadata.mtime()).unwrap_or(0)
}
