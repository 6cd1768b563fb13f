//! The file `maildirsize` on disk, which others write and replace at the same time.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::ledger::{self, LARGEST, Ledger};
use super::limits::Usage;

pub(super) const FILE: &str = "maildirsize";
/// How often it is opened while another host replaces it.
const ATTEMPTS: usize = 3;

/// What it is opened for: whoever does not deliver may not be allowed to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Append,
}

/// Never through a link, and without waiting: the file belongs to whoever owns the maildir.
pub(super) fn open(maildir: &Path, access: Access) -> io::Result<File> {
    let flags = qmail_sys::OPEN_NO_LINK | qmail_sys::OPEN_NONBLOCKING;
    let append = access == Access::Append;
    OpenOptions::new().read(true).append(append).custom_flags(flags).open(maildir.join(FILE))
}

/// What the file says now; `None` if there is none.
pub(super) fn current(maildir: &Path, access: Access) -> io::Result<Option<(Found, File)>> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let read = |file: File| Ok((read(&file)?, file));
        match open(maildir, access).and_then(read) {
            Ok(found) => return Ok(Some(found)),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            // Another host has just put its own there.
            Err(error)
                if error.kind() == ErrorKind::StaleNetworkFileHandle && attempts < ATTEMPTS => {}
            Err(error) => return Err(error),
        }
    }
}

/// What it says, and how long ago that was written.
pub(super) struct Found {
    pub(super) ledger: Ledger,
    pub(super) age: Duration,
}

fn read(file: &File) -> io::Result<Found> {
    use std::os::unix::fs::FileExt as _;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(ErrorKind::InvalidInput.into());
    }
    let mut text = vec![0; LARGEST];
    let mut length = 0;
    while let Some(rest) = text.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, u64::try_from(length).unwrap_or(u64::MAX)) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut ledger = Ledger::parse(text.get(..length).unwrap_or_default());
    ledger.is_sound &= length < LARGEST;
    // A time to come says as little: a clock was wrong. It may be long until it is not to come any more.
    let distance =
        |time| SystemTime::now().duration_since(time).unwrap_or_else(|ahead| ahead.duration());
    let age = metadata.modified().map_or(Duration::MAX, distance);
    Ok(Found { ledger, age })
}

/// One write, so that lines of others come before or behind it.
pub(super) fn append(file: &mut File, change: Usage) -> io::Result<()> {
    let line = ledger::line(change);
    loop {
        match file.write(&line) {
            Ok(written) if written == line.len() => return Ok(()),
            Ok(_) => return Err(ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
