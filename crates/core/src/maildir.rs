//! Delivery to a maildir.
//!
//! The message is written to `tmp/`, brought to disk, linked into `new/`, and the name in `new/`
//! brought to disk, too: only then it is delivered. No lock is needed, and a crash leaves nothing
//! but a file in `tmp/`.
//!
//! netqmail has a child do this, which may change its directory and be ended by its timer. Here
//! nothing changes the directory, and a clock that is looked at before each block does for the
//! timer: both calls that it could interrupt are on ordinary files, which no signal interrupts.

mod name;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::blocks::{BLOCK, Blocks};

pub use name::Names;

/// Readers remove files from `tmp/` that are older than 36 hours: a delivery must not take longer.
const LIMIT: Duration = Duration::from_secs(86_400);
/// Names that are tried where one is taken.
const ATTEMPTS: usize = 3;

/// Why a message was not delivered. Each of them may pass.
#[derive(Debug)]
pub enum MaildirError {
    /// There is no such directory, or we may not enter it.
    Enter(io::Error),
    /// The delivery took a whole day.
    Timeout,
    /// The message could not be read.
    Read(io::Error),
    /// Anything else.
    Other(io::Error),
}

impl std::fmt::Display for MaildirError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (what, error) = match self {
            Self::Timeout => return formatter.write_str("the delivery took a day"),
            Self::Enter(error) => ("enter the maildir", error),
            Self::Read(error) => ("read the message", error),
            Self::Other(error) => ("write to the maildir", error),
        };
        write!(formatter, "unable to {what}: {}", crate::errno::text(error))
    }
}

impl std::error::Error for MaildirError {}

/// Delivers `lines`, then `message`, to `maildir` as one new message.
///
/// # Errors
/// If the message is not safely in `new/`.
pub fn deliver(
    maildir: &Path,
    names: &mut Names,
    lines: &[&[u8]],
    message: impl Read,
) -> Result<(), MaildirError> {
    deliver_within(LIMIT, maildir, names, lines, message)
}

fn deliver_within(
    limit: Duration,
    maildir: &Path,
    names: &mut Names,
    lines: &[&[u8]],
    message: impl Read,
) -> Result<(), MaildirError> {
    let started = Instant::now();
    enter(maildir)?;
    // Opened before anything is written: where it cannot be synced, nothing must arrive in it.
    let new = File::open(maildir.join("new")).map_err(MaildirError::Other)?;
    let mut temporary = Temporary::create(&maildir.join("tmp"), names)?;
    let in_time = || started.elapsed() < limit;
    temporary.write(lines, message, in_time)?;
    temporary.file.sync_all().map_err(MaildirError::Other)?;
    temporary.link_into(&maildir.join("new"), names).map_err(MaildirError::Other)?;
    drop(temporary);
    sync(&new).map_err(MaildirError::Other)
}

/// What chdir would say.
fn enter(maildir: &Path) -> Result<(), MaildirError> {
    match fs::metadata(maildir.join(".")) {
        Ok(_) => Ok(()),
        Err(error) if crate::errno::is_temporary(&error) => Err(MaildirError::Other(error)),
        Err(error) => Err(MaildirError::Enter(error)),
    }
}

/// `EINVAL` means a file system that cannot sync directories: it has no names to lose.
fn sync(directory: &File) -> io::Result<()> {
    match directory.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

/// A file in `tmp/`; the name goes when this is dropped.
struct Temporary {
    path: PathBuf,
    file: File,
}

impl Temporary {
    fn create(tmp: &Path, names: &mut Names) -> Result<Self, MaildirError> {
        let create =
            |path: &Path| OpenOptions::new().write(true).create_new(true).mode(0o644).open(path);
        let (path, file) = unless_taken(tmp, names, create).map_err(MaildirError::Other)?;
        Ok(Self { path, file })
    }

    fn write(
        &mut self,
        lines: &[&[u8]],
        message: impl Read,
        in_time: impl Fn() -> bool,
    ) -> Result<(), MaildirError> {
        // The first block goes with the lines: one call for most messages.
        let mut waiting = lines.concat();
        let mut blocks = Blocks::new(message);
        while let Some(block) = blocks.next_block().map_err(MaildirError::Read)? {
            waiting.extend_from_slice(block);
            if waiting.len() >= BLOCK {
                self.file.write_all(&waiting).map_err(MaildirError::Other)?;
                waiting.clear();
            }
            if !in_time() {
                return Err(MaildirError::Timeout);
            }
        }
        self.file.write_all(&waiting).map_err(MaildirError::Other)
    }

    fn link_into(&self, new: &Path, names: &mut Names) -> io::Result<()> {
        let own_name = self.path.file_name().unwrap_or_default();
        match self.link(&new.join(own_name)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                unless_taken(new, names, |path| self.link(path)).map(drop)
            }
            result => result,
        }
    }

    fn link(&self, path: &Path) -> io::Result<()> {
        let result = fs::hard_link(&self.path, path);
        // Over NFS a call that is repeated finds what the first one did.
        if result.is_err() && self.is_at(path) { Ok(()) } else { result }
    }

    fn is_at(&self, path: &Path) -> bool {
        let (Ok(there), Ok(own)) = (fs::symlink_metadata(path), self.file.metadata()) else {
            return false;
        };
        (there.dev(), there.ino()) == (own.dev(), own.ino())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What stays is removed by readers after 36 hours.
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes something under a new name in `directory`, and under another where that is taken.
fn unless_taken<T>(
    directory: &Path,
    names: &mut Names,
    make: impl Fn(&Path) -> io::Result<T>,
) -> io::Result<(PathBuf, T)> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let path = directory.join(names.next_name(now));
        match make(&path) {
            Ok(made) => return Ok((path, made)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempts < ATTEMPTS => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
#[path = "maildir/tests.rs"]
mod tests;
