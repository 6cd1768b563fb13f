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
pub mod quota;
mod size;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use qmail_sys::{Journal, write_out};

use crate::blocks::{BLOCK, Blocks};
use name::unless_taken;
use quota::{Quota, Usage, Wanted};
use size::Size;

pub use name::Names;

/// Readers remove files from `tmp/` that are older than 36 hours: a delivery must not take longer.
const LIMIT: Duration = Duration::from_secs(86_400);

/// Why a message was not delivered. All but one of them may pass by themselves.
#[derive(Debug)]
pub enum MaildirError {
    /// There is no such directory, or we may not enter it.
    Enter(io::Error),
    /// The delivery took a whole day.
    Timeout,
    /// The message could not be read.
    Read(io::Error),
    /// The quota has no room for it.
    Full,
    /// Anything else.
    Other(io::Error),
}

impl std::fmt::Display for MaildirError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (what, error) = match self {
            Self::Timeout => return formatter.write_str("the delivery took a day"),
            Self::Full => return formatter.write_str("the maildir is full"),
            Self::Enter(error) => ("enter the maildir", error),
            Self::Read(error) => ("read the message", error),
            Self::Other(error) => ("write to the maildir", error),
        };
        write!(formatter, "unable to {what}: {}", crate::errno::text(error))
    }
}

impl std::error::Error for MaildirError {}

/// Where a message goes, and how.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// The maildir.
    pub maildir: &'a Path,
    /// What is put before the message.
    pub lines: &'a [&'a [u8]],
    /// The quota, apart from what the maildir says.
    pub quota: Wanted,
    /// Whether the name of the file tells sizes also where there is no quota.
    pub size_in_name: bool,
}

impl Default for Delivery<'_> {
    fn default() -> Self {
        Self { maildir: Path::new("."), lines: &[], quota: Wanted::AsItIs, size_in_name: false }
    }
}

/// What became of a maildir by a delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// How full it is now, in percent, if it has a quota and that is known.
    pub percent: Option<u64>,
}

/// Delivers a message as one new message of the maildir.
///
/// # Errors
/// If the message is not safely in `new/`.
pub fn deliver(
    delivery: &Delivery<'_>,
    names: &mut Names,
    message: impl Read,
) -> Result<Delivered, MaildirError> {
    deliver_within(LIMIT, delivery, names, message, Refusals::Possible)
}

/// As [`deliver`], also where there is no room by the quota.
pub(crate) fn deliver_whatever_the_quota(
    delivery: &Delivery<'_>,
    names: &mut Names,
    message: impl Read,
) -> Result<(), MaildirError> {
    deliver_within(LIMIT, delivery, names, message, Refusals::None).map(drop)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusals {
    Possible,
    None,
}

fn deliver_within(
    limit: Duration,
    delivery: &Delivery<'_>,
    names: &mut Names,
    message: impl Read,
    refusals: Refusals,
) -> Result<Delivered, MaildirError> {
    let started = Instant::now();
    let maildir = delivery.maildir;
    let mut quota =
        Quota::open(maildir, delivery.quota, names).map_err(|error| not_there(maildir, error))?;
    // Opened before anything is written: where it cannot be synced, nothing must arrive in it.
    let new = open_to_sync(&maildir.join("new")).map_err(|error| not_there(maildir, error))?;
    let mut temporary = Temporary::create(&maildir.join("tmp"), names)?;
    let in_time = || started.elapsed() < limit;
    temporary.write(delivery.lines, message, in_time)?;
    let size = temporary.size.bytes();
    if let Some(quota) = quota.as_mut().filter(|_| refusals == Refusals::Possible)
        && !quota.admits(size, names).map_err(MaildirError::Other)?
    {
        return Err(MaildirError::Full);
    }
    temporary.make_safe().map_err(MaildirError::Other)?;
    let suffix = if delivery.size_in_name || quota.is_some() {
        temporary.size.suffix()
    } else {
        String::new()
    };
    let name = temporary.link_into(&maildir.join("new"), names, &suffix);
    let name = name.map_err(MaildirError::Other)?;
    let synced = match &new {
        Some(new) => {
            drop(temporary);
            sync(new)
        }
        // With a file that has just got a name this comes to disk, too.
        None => temporary.file.sync_all(),
    };
    if let Err(error) = synced {
        // It is delivered again later; once is enough, if nobody has read it yet.
        let _ = fs::remove_file(name);
        return Err(MaildirError::Other(error));
    }
    // The message is there: sums that do not know of it are counted again some time.
    let percent = quota.and_then(|mut quota| quota.add(Usage::message(size), names).ok());
    Ok(Delivered { percent })
}

/// `None` if files may be made there, but not listed: others deliver to such a maildir than read it.
fn open_to_sync(new: &Path) -> io::Result<Option<File>> {
    match File::open(new) {
        Err(error)
            if error.kind() == io::ErrorKind::PermissionDenied
                && fs::metadata(new.join(".")).is_ok() =>
        {
            Ok(None)
        }
        opened => opened.map(Some),
    }
}

/// What chdir would say of the maildir, or else what was wrong inside it.
fn not_there(maildir: &Path, inside: io::Error) -> MaildirError {
    match fs::metadata(maildir.join(".")) {
        Ok(_) => MaildirError::Other(inside),
        Err(error) if crate::errno::is_temporary(&error) => MaildirError::Other(error),
        Err(error) => MaildirError::Enter(error),
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
    size: Size,
}

impl Temporary {
    fn create(tmp: &Path, names: &mut Names) -> Result<Self, MaildirError> {
        let create =
            |path: &Path| OpenOptions::new().write(true).create_new(true).mode(0o644).open(path);
        let (path, file) = unless_taken(tmp, names, "", create).map_err(MaildirError::Other)?;
        Ok(Self { path, file, size: Size::default() })
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
                self.put(&waiting)?;
                waiting.clear();
            }
            if !in_time() {
                return Err(MaildirError::Timeout);
            }
        }
        self.put(&waiting)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), MaildirError> {
        self.size.count(bytes);
        self.file.write_all(bytes).map_err(MaildirError::Other)
    }

    /// What is in it is on disk before its name in `new/`, or comes there with it.
    fn make_safe(&self) -> io::Result<()> {
        match Journal::of(&self.file) {
            Some(_) => write_out(&self.file),
            None => self.file.sync_all(),
        }
    }

    /// The name that it has then.
    fn link_into(&self, new: &Path, names: &mut Names, suffix: &str) -> io::Result<PathBuf> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(suffix);
        let path = new.join(name);
        match self.link(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                unless_taken(new, names, suffix, |path| self.link(path)).map(|(path, ())| path)
            }
            result => result.map(|()| path),
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

#[cfg(test)]
#[path = "maildir/tests.rs"]
mod tests;
