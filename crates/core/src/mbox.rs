//! Delivery to an mbox: one file with all messages, under a lock.
//!
//! A message that could not be written whole is taken away again. Nothing is ever written without
//! the lock.

mod dot_lock;
mod locks;
mod quote;

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use qmail_sys::OPEN_NONBLOCKING;
use qmail_sys::signal::{self, Signal};

use crate::blocks::{BLOCK, Blocks};
use dot_lock::DotLock;

pub use locks::Locks;
pub use quote::Quoter;

/// How long somebody else may have the lock.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a lock that is a file is looked at.
const PAUSE: Duration = Duration::from_millis(200);

/// Why a message was not delivered. Each of them may pass.
#[derive(Debug)]
pub enum MboxError {
    /// The file could not be opened or created.
    Open(io::Error),
    /// Somebody has had the lock for 30 seconds.
    Locked,
    /// There is no way to lock the file.
    Lock(io::Error),
    /// The message could not be read.
    Read(io::Error),
    /// The file could not be written, or not be brought to disk.
    Write(io::Error),
}

impl std::fmt::Display for MboxError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (what, error) = match self {
            Self::Locked => return formatter.write_str("somebody else has the lock"),
            Self::Open(error) => ("open the mbox", error),
            Self::Lock(error) => ("lock the mbox", error),
            Self::Read(error) => ("read the message", error),
            Self::Write(error) => ("write to the mbox", error),
        };
        write!(formatter, "unable to {what}: {}", crate::errno::text(error))
    }
}

impl std::error::Error for MboxError {}

/// Appends `lines`, the first of which is the `From ` line, and `message` to the file `mbox`, which
/// is created if need be.
///
/// # Errors
/// If the message is not safely in the file.
pub fn append(
    mbox: &Path,
    locks: Locks,
    lines: &[&[u8]],
    message: impl Read,
) -> Result<(), MboxError> {
    append_within(PATIENCE, mbox, locks, lines, message)
}

fn append_within(
    patience: Duration,
    mbox: &Path,
    locks: Locks,
    lines: &[&[u8]],
    message: impl Read,
) -> Result<(), MboxError> {
    let mut target = Locked::take(mbox, locks, patience)?;
    let end = target.file.seek(SeekFrom::End(0)).map_err(MboxError::Write)?;
    let _undisturbed = Undisturbed::begin();
    if end == 0 {
        // Before there is anything in it: of an mbox with mail everybody may take the name for safe,
        // even if who made it did not live to come back.
        sync_name(mbox).map_err(MboxError::Write)?;
    }
    let result = target.separate(end).and_then(|separator| {
        write(&mut target.file, &[&[separator], lines].concat(), message)?;
        target.file.sync_all().map_err(MboxError::Write)
    });
    if result.is_err() {
        // What is left of it is then the beginning of a message that is delivered again later.
        let _ = target.file.set_len(end);
    }
    // Before the file is closed: whoever waits for the one finds the other free, too.
    drop(target);
    result
}

/// An mbox that is open, and ours: nobody else who takes the same locks changes it while this lives.
#[derive(Debug)]
pub struct Locked {
    // Fields go in their order: this one before the file is closed.
    lock: Option<DotLock>,
    file: File,
    is_readable: bool,
}

impl Locked {
    /// Opens the file, which is made if need be, and waits for its locks. It is the one that has its
    /// name then, not one that was replaced meanwhile.
    ///
    /// # Errors
    /// If it cannot be had within `patience`.
    pub fn take(mbox: &Path, locks: Locks, patience: Duration) -> Result<Self, MboxError> {
        let started = Instant::now();
        loop {
            let mut target = Self::open(mbox).map_err(MboxError::Open)?;
            // A device or FIFO takes bytes but keeps none: found out before it is given any.
            if !target.file.metadata().map_err(MboxError::Open)?.is_file() {
                target.file.sync_all().map_err(MboxError::Write)?;
            }
            let left = patience.saturating_sub(started.elapsed());
            target.lock = match locks.take(mbox, &target.file, left) {
                Err(error) if error.kind() == ErrorKind::WouldBlock && !left.is_zero() => {
                    // With the locks of the file, for which the other one may be waiting.
                    drop(target);
                    std::thread::sleep(PAUSE.min(left));
                    continue;
                }
                taken => taken.map_err(lock_failure)?,
            };
            // Whoever had the lock may have put another file in its place (maildir2mbox does).
            if is_still(&target.file, mbox) {
                return Ok(target);
            }
            if left.is_zero() {
                return Err(MboxError::Locked);
            }
        }
    }

    /// The file. Nobody may open it again: who closes it once loses its locks of fcntl(2).
    pub fn file(&self) -> &File {
        &self.file
    }

    fn open(mbox: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).mode(0o600).custom_flags(OPEN_NONBLOCKING);
        let done = |file, is_readable| Ok(Self { file, is_readable, lock: None });
        match options.clone().read(true).open(mbox) {
            Ok(file) => done(file, true),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                done(options.read(true).create(true).open(mbox)?, true)
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                done(options.open(mbox)?, false)
            }
            Err(error) => Err(error),
        }
    }

    /// What ends the rest of a delivery that was killed: without it the new message would be a part
    /// of the old one.
    fn separate(&self, end: u64) -> Result<&'static [u8], MboxError> {
        let Some(last) = end.checked_sub(1).filter(|_| self.is_readable) else { return Ok(b"") };
        let mut byte = [0];
        self.file.read_exact_at(&mut byte, last).map_err(MboxError::Write)?;
        Ok(if byte == *b"\n" { b"" } else { b"\n\n" })
    }
}

/// Waits until the name of an mbox is on disk.
///
/// # Errors
/// If it cannot be brought there. What its directory does not let anybody wait for is no error.
pub fn sync_name(mbox: &Path) -> io::Result<()> {
    // A symbolic link may lead to another directory.
    let file = fs::canonicalize(mbox)?;
    match qmail_sys::sync_directory(file.parent().unwrap_or(Path::new("/"))) {
        // A spool that everybody may write to but nobody may list, or a file system that does not
        // sync directories.
        Err(error)
            if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::InvalidInput) =>
        {
            Ok(())
        }
        result => result,
    }
}

fn lock_failure(error: io::Error) -> MboxError {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => MboxError::Locked,
        _ => MboxError::Lock(error),
    }
}

/// Whether this file, which is open, is what is there.
pub fn is_still(file: &File, path: &Path) -> bool {
    let (Ok(own), Ok(there)) = (file.metadata(), fs::metadata(path)) else { return false };
    (own.dev(), own.ino()) == (there.dev(), there.ino())
}

fn write(file: &mut File, lines: &[&[u8]], message: impl Read) -> Result<(), MboxError> {
    // The first block goes with the lines: whoever kills us meets most messages written by one
    // call, and therefore whole or not at all.
    let mut waiting = lines.concat();
    let mut quoter = Quoter::new();
    let mut blocks = Blocks::new(message);
    while let Some(block) = blocks.next_block().map_err(MboxError::Read)? {
        quoter.push(block, &mut waiting);
        if waiting.len() > 2 * BLOCK {
            file.write_all(&waiting).map_err(MboxError::Write)?;
            waiting.clear();
        }
    }
    quoter.finish(&mut waiting);
    waiting.push(b'\n');
    file.write_all(&waiting).map_err(MboxError::Write)
}

/// While this lives, a file size limit is an error, which can be undone, and not our end.
struct Undisturbed;

impl Undisturbed {
    fn begin() -> Self {
        // If it cannot be ignored, we are where we would be anyway.
        let _ = signal::ignore(&[Signal::SIGXFSZ]);
        Self
    }
}

impl Drop for Undisturbed {
    fn drop(&mut self) {
        let _ = signal::restore(&[Signal::SIGXFSZ]);
    }
}

#[cfg(test)]
#[path = "mbox/tests.rs"]
mod tests;
