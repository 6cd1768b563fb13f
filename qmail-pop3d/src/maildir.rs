//! The maildir on disk: what is in it, and what a session leaves of it.

use std::ffi::OsStr;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::mailbox::{Found, Mailbox, Message};

/// A delivery that has taken longer is given up.
const LONGEST_DELIVERY: Duration = Duration::from_secs(36 * 60 * 60);

/// Removes what failed deliveries have left in `tmp`.
pub(crate) fn clean(maildir: &Path, now: SystemTime) {
    let Ok(entries) = fs::read_dir(maildir.join("tmp")) else { return };
    for entry in entries.flatten().filter(|entry| !is_hidden(entry)) {
        let accessed = entry.metadata().and_then(|metadata| metadata.accessed());
        let age = accessed.ok().and_then(|accessed| now.duration_since(accessed).ok());
        if age.is_some_and(|age| age > LONGEST_DELIVERY) {
            // The next session tries again.
            let _ = fs::remove_file(entry.path());
        }
    }
}

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
            if let Some(metadata) = metadata(&entry).ok().filter(Metadata::is_file) {
                let name = entry.file_name();
                found.push(Found {
                    path: [directory.as_bytes(), b"/", name.as_bytes()].concat().into(),
                    size: metadata.len(),
                    modified: (metadata.mtime(), metadata.mtime_nsec()),
                });
            }
        }
    }
    Ok(Mailbox::new(found))
}

/// Deletes what is marked, and moves the rest of `new` to `cur`. Returns whether everything that
/// was to be deleted is gone.
pub(crate) fn update(maildir: &Path, mailbox: &Mailbox) -> bool {
    let mut all_gone = true;
    for message in mailbox.all() {
        if message.is_deleted() {
            all_gone = delete(maildir, message) && all_gone;
        } else if let Some(seen) = message.seen_path() {
            // It stays new then; another session may have moved it.
            let _ =
                fs::rename(maildir.join(message.path()), maildir.join(OsStr::from_bytes(&seen)));
        }
    }
    all_gone
}

fn delete(maildir: &Path, message: &Message) -> bool {
    match fs::remove_file(maildir.join(message.path())) {
        Ok(()) => true,
        // Another session was faster.
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Of the message, if the entry is a symbolic link to one.
fn metadata(entry: &DirEntry) -> io::Result<Metadata> {
    let metadata = entry.metadata()?;
    if metadata.is_symlink() { fs::metadata(entry.path()) } else { Ok(metadata) }
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write;

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
        assert!(update(maildir.path(), &mailbox));
        assert_eq!(tree(maildir.path()), ["cur/2:2,", "cur/3:2,S"]);
    }

    #[test]
    fn a_message_that_stays_is_told() {
        let maildir = maildir(&["new/1", "new/2"]);
        let mut mailbox = scan(maildir.path()).unwrap();
        mailbox.delete(0);
        mailbox.delete(1);
        fs::remove_file(maildir.path().join("new/1")).unwrap();
        fs::create_dir(maildir.path().join("new/1")).unwrap();
        assert!(!update(maildir.path(), &mailbox));
        assert_eq!(tree(maildir.path()), ["new/1"]);
    }

    #[test]
    fn only_old_files_are_cleaned_away() {
        let maildir = maildir(&["tmp/old", "tmp/young", "tmp/.old"]);
        let now = SystemTime::now();
        let times = |age| fs::FileTimes::new().set_accessed(now - Duration::from_secs(age));
        for (name, age) in [("old", 129_700), ("young", 129_500), (".old", 129_700)] {
            let file = File::options().write(true).open(maildir.path().join("tmp").join(name));
            file.unwrap().set_times(times(age)).unwrap();
        }
        clean(maildir.path(), now);
        assert_eq!(tree(maildir.path()), ["tmp/.old", "tmp/young"]);
    }
}
