//! The lock that is a file: `MBOX.lock`, which one process at a time can make.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::if_there;

/// Seconds after which whoever made it is gone: as long as procmail waits. Nobody here has one for
/// as long as this.
const ABANDONED: i64 = 1024;

/// A lock that is ours until this is dropped.
#[derive(Debug)]
pub(super) struct DotLock {
    path: PathBuf,
}

impl DotLock {
    /// Makes it; `None` if somebody else has it.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(super) fn take(mbox: &Path) -> io::Result<Option<Self>> {
        let path = beside(mbox, ".lock");
        loop {
            let own = Own::create(mbox)?;
            if own.link_to(&path)? {
                return Ok(Some(Self { path }));
            }
            if !remove_abandoned(&path, &own)? {
                return Ok(None);
            }
        }
    }
}

impl Drop for DotLock {
    fn drop(&mut self) {
        // If it stays, others wait until it is old.
        let _ = fs::remove_file(&self.path);
    }
}

/// A file of a name that nobody else has, which becomes the lock by a second name: over NFS, too,
/// its count of names says whether that has worked.
struct Own {
    path: PathBuf,
    file: File,
}

impl Own {
    fn create(mbox: &Path) -> io::Result<Self> {
        let process = std::process::id();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let path = beside(mbox, &format!(".lock.{process}.{now}"));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let written = writeln!(file, "{process}");
        let own = Self { path, file };
        written.map(|()| own)
    }

    /// Whether the lock is ours then.
    fn link_to(&self, path: &Path) -> io::Result<bool> {
        match fs::hard_link(&self.path, path) {
            Ok(()) => Ok(true),
            Err(_) if self.file.metadata()?.nlink() == 2 => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether there was one that nobody has any more; ages are by the clock of the file system.
fn remove_abandoned(path: &Path, own: &Own) -> io::Result<bool> {
    let Some(lock) = metadata(path)? else { return Ok(true) };
    if own.file.metadata()?.mtime().saturating_sub(lock.mtime()) < ABANDONED {
        return Ok(false);
    }
    // Not removed by its name, under which somebody may just have made his own.
    let aside = beside(&own.path, ".old");
    fs::rename(path, &aside)?;
    let moved = metadata(&aside)?;
    let is_other = moved.is_some_and(|moved| moved.ino() != lock.ino());
    if is_other {
        fs::hard_link(&aside, path)?;
    }
    fs::remove_file(&aside)?;
    Ok(!is_other)
}

fn metadata(path: &Path) -> io::Result<Option<Metadata>> {
    if_there(fs::symlink_metadata(path))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn names(directory: &Path) -> Vec<OsString> {
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn one_at_a_time_has_it_and_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let mbox = directory.path().join("Mailbox");
        let lock = DotLock::take(&mbox).unwrap().unwrap();
        assert_eq!(names(directory.path()), ["Mailbox.lock"]);
        assert!(DotLock::take(&mbox).unwrap().is_none());
        drop(lock);
        drop(DotLock::take(&mbox).unwrap().unwrap());
        assert!(names(directory.path()).is_empty());
    }

    #[test]
    fn one_that_nobody_has_any_more_is_taken_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("Mailbox.lock");
        let old = File::create(&path).unwrap();
        let ago = |seconds| SystemTime::now() - Duration::from_secs(seconds);
        old.set_modified(ago(1000)).unwrap();
        let mbox = directory.path().join("Mailbox");
        assert!(DotLock::take(&mbox).unwrap().is_none());
        old.set_modified(ago(1030)).unwrap();
        drop(DotLock::take(&mbox).unwrap().unwrap());
        assert!(names(directory.path()).is_empty());
    }

    #[test]
    fn where_it_cannot_be_made_nothing_is_waited_for() {
        let error = DotLock::take(Path::new("/nonexistent/m")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
