//! Counting the messages themselves.

use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::limits::Usage;

/// The folder whose messages do not count.
pub(super) const TRASH: &[u8] = b".Trash";
/// More folders than anybody has: somebody wants us to be busy.
const MOST_FOLDERS: usize = 10_000;

/// When a directory was changed last: seconds and nanoseconds.
pub(super) type Time = (i64, i64);

/// The state of the directories with messages: it differs when something came or went.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Times(Vec<(PathBuf, Time)>);

impl Times {
    /// Of `maildir` and its folders.
    pub(super) fn of(maildir: &Path) -> io::Result<Self> {
        let mut times = Vec::new();
        for folder in folders(maildir)? {
            for part in ["new", "cur"] {
                let directory = folder.join(part);
                match fs::metadata(&directory) {
                    Ok(metadata) => {
                        times.push((directory, (metadata.mtime(), metadata.mtime_nsec())));
                    }
                    Err(error) if is_gone(&error) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        // However the file system lists them.
        times.sort_unstable();
        Ok(Self(times))
    }

    /// When the last change was.
    pub(super) fn newest(&self) -> Option<Time> {
        self.0.iter().map(|(_, time)| *time).max()
    }

    /// The bytes and messages in these directories.
    pub(super) fn count(&self) -> io::Result<Usage> {
        self.0.iter().try_fold(Usage::default(), |sum, (directory, _)| count(directory, sum))
    }
}

/// The maildir itself, and the folders in it that count.
fn folders(maildir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = vec![maildir.to_owned()];
    for entry in fs::read_dir(maildir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_bytes();
        if !name.starts_with(b".") || name == TRASH {
            continue;
        }
        // Not what a link leads to: that belongs to somebody else's quota.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            folders.push(entry.path());
        }
        if folders.len() > MOST_FOLDERS {
            return Err(ErrorKind::QuotaExceeded.into());
        }
    }
    Ok(folders)
}

fn count(directory: &Path, mut sum: Usage) -> io::Result<Usage> {
    let entries = match fs::read_dir(directory) {
        Err(error) if is_gone(&error) => return Ok(sum),
        entries => entries?,
    };
    for entry in entries {
        if let Some(size) = size(&entry?)? {
            sum = sum.plus(Usage::message(size));
        }
    }
    Ok(sum)
}

/// How large a message is; `None` for what is none, or does not count.
fn size(entry: &DirEntry) -> io::Result<Option<u64>> {
    let name = entry.file_name();
    let name = name.as_bytes();
    if name.starts_with(b".") || is_trashed(name) {
        return Ok(None);
    }
    if let Some(size) = size_in_name(name) {
        return Ok(Some(size));
    }
    match entry.metadata() {
        Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
        // Read and deleted just now.
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removed just now, by this host or another.
fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::StaleNetworkFileHandle)
}

/// The size of the file that its name says: `TIME.UNIQUE.HOST,S=size:2,flags`.
pub fn size_in_name(name: &[u8]) -> Option<u64> {
    let stem = name.split(|byte| *byte == b':').next().unwrap_or_default();
    let mut fields = stem.split(|byte| *byte == b',').skip(1);
    let digits = fields.find_map(|field| field.strip_prefix(b"S="))?;
    // `parse` would take a sign.
    let is_number = digits.first().is_some_and(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

/// Whether a message has been moved to the trash, by the flag `T`.
pub fn is_trashed(name: &[u8]) -> bool {
    let mut parts = name.splitn(2, |byte| *byte == b':').skip(1);
    let flags = parts.next().and_then(|info| info.strip_prefix(b"2,"));
    flags.is_some_and(|flags| flags.contains(&b'T'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn write(maildir: &Path, name: &str, size: usize) {
        let path = maildir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::File::create(path).unwrap().write_all(&vec![b'x'; size]).unwrap();
    }

    #[test]
    fn names_tell_sizes_and_trash() {
        assert_eq!(size_in_name(b"1.M2P3.host,S=900"), Some(900));
        assert_eq!(size_in_name(b"1.M2P3.host,S=900,W=920:2,FS"), Some(900));
        for name in ["1.2.3", "1.2.3,S=", "1.2.3,S=x", "1.2.3,S=+5", "S=5", "1.2.3:2,S=5"] {
            assert_eq!(size_in_name(name.as_bytes()), None, "{name}");
        }
        assert!(is_trashed(b"1.2.3:2,ST") && !is_trashed(b"1.2.T:2,S") && !is_trashed(b"T"));
    }

    #[test]
    fn folders_count_and_trash_and_links_do_not() {
        let root = tempfile::tempdir().unwrap();
        let maildir = root.path().join("M");
        for (name, size) in [
            ("new/1.a.h", 10),
            ("new/2.a.h,S=100", 7),
            ("cur/3.a.h:2,S", 20),
            ("cur/4.a.h:2,ST", 5000),
            ("cur/.hidden", 5000),
            ("tmp/5.a.h", 5000),
            (".Drafts/cur/6.a.h:2,", 30),
            (".Trash/cur/7.a.h:2,", 5000),
            (".Trash.old/cur/8.a.h:2,", 40),
            ("courier/cur/9.a.h", 5000),
        ] {
            write(&maildir, name, size);
        }
        write(root.path(), "elsewhere/cur/1.a.h", 5000);
        std::os::unix::fs::symlink("../elsewhere", maildir.join(".link")).unwrap();
        fs::create_dir(maildir.join("cur/directory")).unwrap();
        let times = Times::of(&maildir).unwrap();
        assert_eq!(times.count().unwrap(), Usage { bytes: 200, messages: 5 });
        assert_eq!(Times::of(&maildir).unwrap(), times);
        write(&maildir, ".Drafts/new/1.b.h", 1);
        assert_ne!(Times::of(&maildir).unwrap(), times);
    }

    #[test]
    fn a_maildir_that_is_not_there_cannot_be_counted() {
        assert!(Times::of(Path::new("/nonexistent")).is_err());
    }
}
