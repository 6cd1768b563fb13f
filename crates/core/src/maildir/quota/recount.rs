//! Counting a maildir, and keeping the result.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::file::FILE;
use super::ledger::{self, LARGEST};
use super::limits::{Limits, Usage};
use super::scan::Times;
use super::{Names, unless_taken};

/// How often it is counted while others change it.
const COUNTS: usize = 3;
/// Two changes that are closer together may leave the same time.
const CLOCK_TICK: i128 = 20_000_000;

/// Counts the messages and puts the result in the place of the file.
pub(super) fn recount(
    maildir: &Path,
    limits: Limits,
    names: &mut Names,
) -> io::Result<(Usage, File)> {
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
