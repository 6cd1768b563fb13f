//! Maildir++ quotas: the file `maildirsize` beside `new`, `cur` and `tmp`.
//!
//! Nobody locks it: who delivers or deletes appends a line, by one write, and who finds it too long
//! or the maildir too full counts the messages anew and puts a short file in its place. A line that
//! goes to a file which has been replaced meanwhile may be lost; whoever notices has the messages
//! counted again, so that errors do not add up.

mod file;
pub mod ledger;
mod limits;
mod recount;
mod scan;
mod warning;

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::MaildirError;
use super::name::{Names, unless_taken};
use file::{Access, FILE, Found, append, current, open};
use ledger::{Verdict, judge};
use recount::recount;
use scan::TRASH;

pub use limits::{Limits, Usage};
pub use scan::{is_trashed, size_in_name};
pub use warning::{Warning, warn};

/// What a folder has, so that its messages are known to count for the maildir that it is in.
const FOLDER_MARK: &str = "maildirfolder";

/// What the quota is if the maildir does not say, or whatever it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// What the maildir says.
    #[default]
    AsItIs,
    /// This, unless the maildir says something.
    Default(Limits),
    /// This: the maildir is told.
    Exactly(Limits),
}

impl Wanted {
    /// The quota, where the maildir says this of it.
    fn agreed(self, said: Option<Limits>) -> Option<Limits> {
        match self {
            Self::AsItIs => said,
            Self::Default(limits) => said.or(Some(limits)),
            Self::Exactly(limits) => Some(limits),
        }
    }
}

/// The quota of a maildir, while a message is delivered to it.
#[derive(Debug)]
pub struct Quota {
    maildir: PathBuf,
    wanted: Wanted,
    limits: Limits,
    used: Usage,
    file: File,
}

impl Quota {
    /// That of a maildir, or of the maildir that a folder is in; `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be told.
    pub fn open(maildir: &Path, wanted: Wanted, names: &mut Names) -> io::Result<Option<Self>> {
        let Some(maildir) = counted_with(maildir)? else { return Ok(None) };
        let found = current(&maildir, Access::Append)?;
        let said = found.as_ref().and_then(|(found, _)| found.ledger.limits);
        // Where nobody says anything that can be understood, there is none.
        let Some(limits) = wanted.agreed(said) else { return Ok(None) };
        match found {
            Some((found, file)) if said == Some(limits) => {
                Ok(Some(Self { maildir, wanted, limits, used: found.ledger.used, file }))
            }
            _ if limits.is_unlimited() => Ok(None),
            _ => {
                let (used, file) = recount(&maildir, limits, names)?;
                Ok(Some(Self { maildir, wanted, limits, used, file }))
            }
        }
    }

    /// Sets the quota of a maildir, or of the one that a folder is in, and counts what is in it.
    /// Without limits there is none.
    ///
    /// # Errors
    /// If the messages cannot be counted, or the result not be kept.
    pub fn set(maildir: &Path, limits: Limits, names: &mut Names) -> io::Result<()> {
        let Some(maildir) = counted_with(maildir)? else { return Ok(()) };
        if limits.is_unlimited() {
            return match fs::remove_file(maildir.join(FILE)) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        recount(&maildir, limits, names).map(drop)
    }

    /// Whether there is room for a message of so many bytes.
    ///
    /// # Errors
    /// If that cannot be told.
    pub fn admits(&mut self, bytes: u64, names: &mut Names) -> io::Result<bool> {
        let message = Usage::message(bytes);
        // While the message was written others may have counted, and put their file there; or have
        // removed it, as readers do that cannot count in peace.
        let verdict = match current(&self.maildir, Access::Append)? {
            Some((Found { ledger, age }, file)) => {
                self.limits = self.wanted.agreed(ledger.limits).unwrap_or(self.limits);
                (self.used, self.file) = (ledger.used, file);
                judge(&ledger, self.limits, message, age)
            }
            None => Verdict::Recount,
        };
        match verdict {
            Verdict::Fits => Ok(true),
            Verdict::Full => Ok(false),
            Verdict::Recount => {
                self.recount(names)?;
                Ok(self.limits.admit(self.used, message))
            }
        }
    }

    /// Adds what came or went; how full the maildir is then, in percent.
    ///
    /// # Errors
    /// If that could not be noted: the sums are wrong until they are counted again.
    pub fn add(&mut self, change: Usage, names: &mut Names) -> io::Result<u64> {
        let written = append(&mut self.file, change);
        // Whoever has put another file there may have counted too early to know of us.
        match written.and_then(|()| self.file.metadata()) {
            Ok(metadata) if metadata.nlink() > 0 => self.used = self.used.plus(change),
            Err(error) if error.kind() != ErrorKind::StaleNetworkFileHandle => return Err(error),
            _ => self.recount(names)?,
        }
        Ok(self.limits.percent(self.used))
    }

    fn recount(&mut self, names: &mut Names) -> io::Result<()> {
        (self.used, self.file) = recount(&self.maildir, self.limits, names)?;
        Ok(())
    }
}

/// Messages that are removed from a maildir whose messages are counted.
#[derive(Debug)]
pub struct Removal {
    maildir: PathBuf,
    sum: Usage,
}

impl Removal {
    /// For messages of this maildir; `None` if nobody counts them.
    pub fn begin(maildir: &Path) -> Option<Self> {
        let maildir = counted_with(maildir).ok().flatten()?;
        open(&maildir, Access::Append).ok()?;
        Some(Self { maildir, sum: Usage::default() })
    }

    /// A message of this file name and, unless the name says it, this size is gone.
    pub fn note(&mut self, name: &[u8], size: u64) {
        if !is_trashed(name) {
            let size = size_in_name(name).unwrap_or(size);
            self.sum = self.sum.plus(Usage::message(size).removed());
        }
    }

    /// Writes one line for all of them.
    ///
    /// # Errors
    /// If that could not be noted: the sums are too large until they are counted again.
    pub fn finish(self) -> io::Result<()> {
        if self.sum == Usage::default() {
            return Ok(());
        }
        // Opened only now: somebody may have counted while messages went, and put his file there.
        // Whoever does so from here on knows that they are gone.
        append(&mut open(&self.maildir, Access::Append)?, self.sum)
    }
}

/// The maildir that has the quota; `None` for the trash.
fn counted_with(maildir: &Path) -> io::Result<Option<PathBuf>> {
    let name = maildir.file_name().unwrap_or_default().as_bytes();
    // Only folders have such names, so nobody else is asked.
    if !name.starts_with(b".") || !maildir.join(FOLDER_MARK).try_exists()? {
        return Ok(Some(maildir.to_owned()));
    }
    if name == TRASH {
        return Ok(None);
    }
    let parent = maildir.parent().filter(|parent| !parent.as_os_str().is_empty());
    Ok(Some(parent.unwrap_or(Path::new(".")).to_owned()))
}

/// How full a maildir is in percent of these limits, or else of its own, by what was counted last:
/// for who does not deliver to it. `None` if it has no limit, or nobody knows.
pub fn percent_used(maildir: &Path, limits: Option<Limits>) -> Option<u64> {
    let (Found { ledger, .. }, _) = current(maildir, Access::Read).ok()??;
    let limits = limits.or(ledger.limits).filter(|limits| !limits.is_unlimited())?;
    ledger.is_sound.then(|| limits.percent(ledger.used))
}

#[cfg(test)]
mod tests;
