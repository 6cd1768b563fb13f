//! Maildir++ quotas: the file `maildirsize` beside `new`, `cur` and `tmp`.
//!
//! Nobody locks it: who delivers or deletes appends a line, by one write, and who finds it too long
//! or the maildir too full counts the messages anew and puts a short file in its place. A line that
//! goes to a file which has been replaced meanwhile may be lost; whoever notices has the messages
//! counted again, so that errors do not add up.

mod ledger;
mod limits;
mod scan;
mod warning;

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::MaildirError;
use super::name::{Names, unless_taken};
use ledger::{LARGEST, Ledger, Verdict, judge};
use scan::{TRASH, Times};

pub use limits::{Limits, Usage};
pub use scan::{is_trashed, size_in_name};
pub use warning::{Warning, warn};

const FILE: &str = "maildirsize";
/// What a folder has, so that its messages are known to count for the maildir that it is in.
const FOLDER_MARK: &str = "maildirfolder";
/// How often a maildir is counted while others change it.
const COUNTS: usize = 3;
/// Two changes that are closer together may leave the same time.
const CLOCK_TICK: i128 = 20_000_000;

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

/// The quota of a maildir, while a message is delivered to it.
#[derive(Debug)]
pub struct Quota {
    maildir: PathBuf,
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
        let found = match open(&maildir) {
            Ok(file) => Some((read(&file)?, file)),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let said = found.as_ref().and_then(|(found, _)| found.ledger.limits);
        let limits = match (wanted, said) {
            (Wanted::Exactly(limits), _) | (Wanted::Default(limits), None) => limits,
            (_, Some(said)) => said,
            // It says nothing that can be understood, and nobody else does.
            (Wanted::AsItIs, None) => return Ok(None),
        };
        match found {
            Some((found, file)) if said == Some(limits) => {
                Ok(Some(Self { maildir, limits, used: found.ledger.used, file }))
            }
            _ if limits.is_unlimited() => Ok(None),
            _ => Self::counted(maildir, limits, names).map(Some),
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
        Self::counted(maildir, limits, names).map(drop)
    }

    /// Whether there is room for a message of so many bytes.
    ///
    /// # Errors
    /// If that cannot be told.
    pub fn admits(&mut self, bytes: u64, names: &mut Names) -> io::Result<bool> {
        let message = Usage::message(bytes);
        // While the message was written others may have counted, and put their file there.
        self.file = open(&self.maildir)?;
        let found = read(&self.file)?;
        self.used = found.ledger.used;
        match judge(&found.ledger, self.limits, message, found.age) {
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
        append(&mut self.file, change)?;
        self.used = self.used.plus(change);
        // Whoever has put another file there may have counted too early to know of us.
        if self.file.metadata()?.nlink() == 0 {
            self.recount(names)?;
        }
        Ok(self.limits.percent(self.used))
    }

    fn counted(maildir: PathBuf, limits: Limits, names: &mut Names) -> io::Result<Self> {
        let (used, file) = recount(&maildir, limits, names)?;
        Ok(Self { maildir, limits, used, file })
    }

    fn recount(&mut self, names: &mut Names) -> io::Result<()> {
        (self.used, self.file) = recount(&self.maildir, self.limits, names)?;
        Ok(())
    }
}

/// Messages that are removed from a maildir whose messages are counted.
#[derive(Debug)]
pub struct Removal {
    file: File,
    sum: Usage,
}

impl Removal {
    /// For messages of this maildir; `None` if nobody counts them.
    pub fn begin(maildir: &Path) -> Option<Self> {
        let maildir = counted_with(maildir).ok().flatten()?;
        Some(Self { file: open(&maildir).ok()?, sum: Usage::default() })
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
    pub fn finish(mut self) -> io::Result<()> {
        if self.sum == Usage::default() { Ok(()) } else { append(&mut self.file, self.sum) }
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

/// Never through a link, and without waiting: the file belongs to whoever owns the maildir.
fn open(maildir: &Path) -> io::Result<File> {
    let flags = qmail_sys::OPEN_NO_LINK | qmail_sys::OPEN_NONBLOCKING;
    OpenOptions::new().read(true).append(true).custom_flags(flags).open(maildir.join(FILE))
}

struct Found {
    ledger: Ledger,
    age: Duration,
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
    let age = metadata.modified().ok().and_then(|time| SystemTime::now().duration_since(time).ok());
    Ok(Found { ledger, age: age.unwrap_or_default() })
}

/// One write, so that lines of others come before or behind it.
fn append(file: &mut File, change: Usage) -> io::Result<()> {
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

/// Counts the messages and puts the result in the place of the file.
fn recount(maildir: &Path, limits: Limits, names: &mut Names) -> io::Result<(Usage, File)> {
    for _ in 0..COUNTS {
        let fresh = Fresh::create(maildir, names)?;
        let times = Times::of(maildir)?;
        let used = times.count()?;
        if fresh.is_younger_than(&times)? {
            let file = fresh.put(maildir, limits, used, Reliable::Yes)?;
            if Times::of(maildir)? == times {
                return Ok((used, file));
            }
        }
    }
    // Others come and go all the time: the best that is known now, to be counted again next time.
    let fresh = Fresh::create(maildir, names)?;
    let used = Times::of(maildir)?.count()?;
    let file = fresh.put(maildir, limits, used, Reliable::No)?;
    Ok((used, file))
}

/// Whether others may go by what was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reliable {
    Yes,
    No,
}

/// The next `maildirsize`, in `tmp`; what is not put in its place goes when this is dropped.
struct Fresh {
    path: Option<PathBuf>,
    file: File,
}

impl Fresh {
    fn create(maildir: &Path, names: &mut Names) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create_new(true).mode(0o644);
        let (path, file) = unless_taken(&maildir.join("tmp"), names, "_NeWmAiLdIrSiZe", |path| {
            options.open(path)
        })?;
        Ok(Self { path: Some(path), file })
    }

    /// Whether it was made clearly after all these changes, by the clock of the file system: then
    /// a later change leaves another time.
    fn is_younger_than(&self, times: &Times) -> io::Result<bool> {
        let metadata = self.file.metadata()?;
        let nanoseconds =
            |(seconds, rest): (i64, i64)| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        let made = nanoseconds((metadata.mtime(), metadata.mtime_nsec()));
        Ok(times.newest().is_none_or(|newest| made - nanoseconds(newest) > CLOCK_TICK))
    }

    fn put(
        mut self,
        maildir: &Path,
        limits: Limits,
        used: Usage,
        reliable: Reliable,
    ) -> io::Result<File> {
        let mut text = format!("{limits}\n").into_bytes();
        text.extend(ledger::line(used));
        if reliable == Reliable::No {
            // Nobody goes by a file of this size: ours and others' programs all count anew.
            text.resize(LARGEST, b' ');
            text.push(b'\n');
        }
        self.file.write_all(&text)?;
        // An empty file after a crash would be no quota at all.
        self.file.sync_data()?;
        if let Some(path) = &self.path {
            fs::rename(path, maildir.join(FILE))?;
        }
        self.path = None;
        self.file.try_clone()
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // What stays is removed by readers after 36 hours.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests;
