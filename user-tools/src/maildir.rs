//! Looking into the maildir that is the current directory.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::surroundings::wanted;

/// A message in a maildir.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    /// When it came, in seconds since 1970.
    pub time: u64,
    /// Its file, as `new/NAME` or `cur/NAME`.
    pub path: PathBuf,
    /// How large it is.
    pub size: u64,
}

impl Message {
    /// As it stands in what users are told.
    pub fn shown(&self) -> Vec<u8> {
        [b"$MAILDIR/", self.path.as_os_str().as_bytes()].concat()
    }
}

/// Goes to `$MAILDIR`.
pub fn enter() -> Result<(), Failure> {
    let maildir = wanted("MAILDIR")?;
    let what = [b"unable to chdir to ", maildir.as_slice()].concat();
    std::env::set_current_dir(Path::new(std::ffi::OsStr::from_bytes(&maildir)))
        .map_err(|error| Failure::system(what, &error))
}

/// The messages in these directories, oldest first. One that came this very second is left for
/// later: another could still come before it.
pub fn scan(directories: &[&str], now: u64) -> Result<Vec<Message>, Failure> {
    let mut messages = Vec::new();
    for directory in directories {
        scan_directory(Path::new(directory), now, &mut messages).map_err(|error| {
            Failure::system([b"unable to scan $MAILDIR/", directory.as_bytes()].concat(), &error)
        })?;
    }
    messages.sort();
    Ok(messages)
}

fn scan_directory(directory: &Path, now: u64, messages: &mut Vec<Message>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        // Another reader may have moved it since.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        let time = u64::try_from(metadata.mtime()).unwrap_or(0);
        if !is_hidden(&entry) && metadata.is_file() && time < now {
            messages.push(Message { time, path, size: metadata.len() });
        }
    }
    Ok(())
}

fn is_hidden(entry: &fs::DirEntry) -> bool {
    entry.file_name().as_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn messages_are_sorted_by_time_and_new_ones_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let make = |name: &str, seconds: u64| {
            let file = File::create(root.path().join(name)).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        for (name, seconds) in [("b", 7), ("a", 9), ("c", 7), (".hidden", 1), ("late", 100)] {
            make(name, seconds);
        }
        fs::create_dir(root.path().join("directory")).unwrap();
        let mut messages = Vec::new();
        scan_directory(root.path(), 100, &mut messages).unwrap();
        messages.sort();
        let names: Vec<_> =
            messages.iter().map(|message| message.path.file_name().unwrap()).collect();
        assert_eq!(names, ["b", "c", "a"]);
    }
}
