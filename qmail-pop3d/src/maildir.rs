//! The maildir on disk: what is in it, and what a session leaves of it.

use std::ffi::OsStr;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use qmail_core::maildir::quota::{Removal, size_in_name};

use crate::mailbox::{Mailbox, Message};

/// Finds the messages in `new` and `cur`.
pub(crate) fn scan(maildir: &Path) -> io::Result<Mailbox> {
    let mut found = Vec::new();
    for directory in ["new", "cur"] {
        for entry in fs::read_dir(maildir.join(directory))? {
            let entry = entry?;
            if is_hidden(&entry) {
                continue;
            }
            // What cannot be looked at may be gone already, and what is no file is no message.
            if let Some((size, modified)) = by_name(&entry).or_else(|| look(&entry)) {
                found.push(Message::new(path(directory, &entry).into(), size, modified));
            }
        }
    }
    Ok(Mailbox::new(found))
}

/// What the name of a message tells: its size, and when it came.
fn by_name(entry: &DirEntry) -> Option<(u64, i64)> {
    let name = entry.file_name();
    let size = size_in_name(name.as_bytes())?;
    let mut parts = name.as_bytes().split(|byte| *byte == b'.');
    let (seconds, unique) = (number(parts.next()?)?, parts.next()?);
    let micros = unique.strip_prefix(b"M").map(|rest| rest.split(|b| !b.is_ascii_digit()));
    let micros = micros.and_then(|mut digits| number(digits.next()?)).unwrap_or(0);
    // The directory knows what kind of file it is, as a rule.
    let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
    is_file.then_some((size, nanoseconds(seconds, micros.checked_mul(1000)?)))
}

fn number(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn look(entry: &DirEntry) -> Option<(u64, i64)> {
    let metadata = metadata(entry).ok().filter(Metadata::is_file)?;
    Some((metadata.len(), nanoseconds(metadata.mtime(), metadata.mtime_nsec())))
}

/// Looks where messages are now, if one of them was not where it had been. Returns whether any of
/// them is elsewhere.
pub(crate) fn look_again(maildir: &Path, mailbox: &mut Mailbox) -> bool {
    let entries = ["new", "cur"].into_iter().flat_map(|directory| {
        let entries = fs::read_dir(maildir.join(directory)).into_iter().flatten().flatten();
        entries.filter(|entry| !is_hidden(entry)).map(move |entry| path(directory, &entry))
    });
    mailbox.relocate(entries)
}

fn path(directory: &str, entry: &DirEntry) -> Vec<u8> {
    [directory.as_bytes(), b"/", entry.file_name().as_bytes()].concat()
}

/// What a session leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Updated {
    /// Everything that was to be deleted is gone.
    pub(crate) all_gone: bool,
    /// All files are where they were.
    pub(crate) as_it_was: bool,
}

/// How often is looked for messages to delete that others keep moving.
const ROUNDS: usize = 5;

/// Deletes what is marked, and moves the rest of `new` to `cur`.
pub(crate) fn update(maildir: &Path, mailbox: &mut Mailbox) -> Updated {
    let mut updated = Updated { all_gone: true, as_it_was: true };
    let mut missing = Vec::new();
    // Nobody need look for a quota if nothing goes.
    let any = mailbox.all().iter().any(Message::is_deleted);
    let mut removal = any.then(|| Removal::begin(maildir)).flatten();
    for (index, message) in mailbox.all().iter().enumerate() {
        if message.is_deleted() {
            updated.as_it_was = false;
            match delete(maildir, message, removal.as_mut()) {
                Deleted::Done => {}
                Deleted::Missing => missing.push(index),
                Deleted::Failed => updated.all_gone = false,
            }
        } else if let Some(seen) = message.seen_path() {
            updated.as_it_was = false;
            // It stays new then; another session may have moved it.
            let _ =
                fs::rename(maildir.join(message.path()), maildir.join(OsStr::from_bytes(&seen)));
        }
    }
    let elsewhere = delete_elsewhere(maildir, mailbox, missing, removal.as_mut());
    updated.all_gone = elsewhere && updated.all_gone;
    // Sums that could not be changed are too large until they are counted again.
    let _ = removal.map(Removal::finish);
    updated
}

/// Deletes messages that were not where they had been: another session has deleted them, or
/// somebody who uses the maildir as well has moved them.
fn delete_elsewhere(
    maildir: &Path,
    mailbox: &mut Mailbox,
    mut missing: Vec<usize>,
    mut removal: Option<&mut Removal>,
) -> bool {
    let mut all_gone = true;
    for _ in 0..ROUNDS {
        if missing.is_empty() || !look_again(maildir, mailbox) {
            return all_gone;
        }
        missing.retain(|index| {
            let message = mailbox.get(*index);
            match message.map(|it| delete(maildir, it, removal.as_deref_mut())) {
                Some(Deleted::Missing) => true,
                Some(Deleted::Failed) => {
                    all_gone = false;
                    false
                }
                Some(Deleted::Done) | None => false,
            }
        });
    }
    // They are still being moved, so they are still there.
    all_gone && missing.is_empty()
}

enum Deleted {
    Done,
    Missing,
    Failed,
}

fn delete(maildir: &Path, message: &Message, removal: Option<&mut Removal>) -> Deleted {
    let path = maildir.join(message.path());
    // Its size on disk, unless its name says that.
    let size = removal.as_ref().map_or(0, |_| file_size(&path));
    match fs::remove_file(&path) {
        Ok(()) => {
            let name = path.file_name().unwrap_or_default();
            if let Some(removal) = removal {
                removal.note(name.as_bytes(), size);
            }
            Deleted::Done
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Deleted::Missing,
        Err(_) => Deleted::Failed,
    }
}

fn file_size(path: &Path) -> u64 {
    let named = path.file_name().and_then(|name| size_in_name(name.as_bytes()));
    named.unwrap_or_else(|| fs::metadata(path).map_or(0, |metadata| metadata.len()))
}

/// Of the message, if the entry is a symbolic link to one.
fn metadata(entry: &DirEntry) -> io::Result<Metadata> {
    let metadata = entry.metadata()?;
    if metadata.is_symlink() { fs::metadata(entry.path()) } else { Ok(metadata) }
}

/// In nanoseconds since 1970.
fn nanoseconds(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write;
    use std::time::{Duration, SystemTime};

    fn maildir(files: &[&str]) -> tempfile::TempDir {
        let maildir = tempfile::tempdir().unwrap();
        for directory in ["new", "cur", "tmp"] {
            fs::create_dir(maildir.path().join(directory)).unwrap();
        }
        for file in files {
            File::create(maildir.path().join(file)).unwrap().write_all(file.as_bytes()).unwrap();
        }
        maildir
    }

    fn paths(mailbox: &Mailbox) -> Vec<String> {
        let mut paths: Vec<String> =
            mailbox.all().iter().map(|message| message.path().display().to_string()).collect();
        paths.sort_unstable();
        paths
    }

    fn tree(maildir: &Path) -> Vec<String> {
        let mut names = Vec::new();
        for directory in ["cur", "new", "tmp"] {
            for entry in fs::read_dir(maildir.join(directory)).unwrap() {
                names.push(format!("{directory}/{}", entry.unwrap().file_name().display()));
            }
        }
        names.sort_unstable();
        names
    }

    #[test]
    fn files_are_messages_however_new_they_are() {
        let maildir = maildir(&["new/1", "new/.hidden", "cur/2:2,S", "tmp/3"]);
        let future = SystemTime::now() + Duration::from_secs(1000);
        let file = File::options().write(true).open(maildir.path().join("new/1")).unwrap();
        file.set_modified(future).unwrap();
        fs::create_dir(maildir.path().join("cur/directory")).unwrap();
        std::os::unix::fs::symlink("../new/1", maildir.path().join("cur/link")).unwrap();
        std::os::unix::fs::symlink("nowhere", maildir.path().join("cur/broken")).unwrap();
        qmail_sys::make_fifo(&maildir.path().join("cur/fifo"), 0o600).unwrap();
        let mailbox = scan(maildir.path()).unwrap();
        assert_eq!(paths(&mailbox), ["cur/2:2,S", "cur/link", "new/1"]);
        assert_eq!(mailbox.get(0).unwrap().size(), 9);
    }

    #[test]
    fn a_maildir_without_cur_is_none() {
        let maildir = maildir(&[]);
        fs::remove_dir(maildir.path().join("cur")).unwrap();
        assert!(scan(maildir.path()).is_err());
    }

    #[test]
    fn the_update_deletes_moves_and_leaves_cur_alone() {
        let maildir = maildir(&["new/1", "new/2", "cur/3:2,S", "cur/4:2,"]);
        let mut mailbox = scan(maildir.path()).unwrap();
        for index in 0..4 {
            let path = mailbox.get(index).unwrap().path().to_owned();
            if path.ends_with("1") || path.ends_with("4:2,") {
                mailbox.delete(index);
            }
        }
        // Another session was faster.
        fs::remove_file(maildir.path().join("new/1")).unwrap();
        assert!(update(maildir.path(), &mut mailbox).all_gone);
        assert_eq!(tree(maildir.path()), ["cur/2:2,", "cur/3:2,S"]);
    }

    #[test]
    fn what_others_have_moved_is_deleted_all_the_same() {
        let maildir = maildir(&["new/1", "cur/2:2,", "cur/3:2,"]);
        let mut mailbox = scan(maildir.path()).unwrap();
        (0..3).for_each(|index| mailbox.delete(index));
        let rename = |from, to| fs::rename(maildir.path().join(from), maildir.path().join(to));
        rename("new/1", "cur/1:2,S").unwrap();
        rename("cur/2:2,", "cur/2:2,RS").unwrap();
        fs::remove_file(maildir.path().join("cur/3:2,")).unwrap();
        assert!(update(maildir.path(), &mut mailbox).all_gone);
        assert_eq!(tree(maildir.path()), [""; 0]);
    }

    #[test]
    fn a_message_that_stays_is_told() {
        let maildir = maildir(&["new/1", "new/2"]);
        let mut mailbox = scan(maildir.path()).unwrap();
        mailbox.delete(0);
        mailbox.delete(1);
        fs::remove_file(maildir.path().join("new/1")).unwrap();
        fs::create_dir(maildir.path().join("new/1")).unwrap();
        assert!(!update(maildir.path(), &mut mailbox).all_gone);
        assert_eq!(tree(maildir.path()), ["new/1"]);
    }
}
