//! Moving the files of a queue to where its present split wants them.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::num::NonZeroU64;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use qmail_core::errno;
use qmail_core::queue::{Channel, Queue, QueueId, Todo};
use qmail_sys::sync_directory;

/// Why files are not where they should be. None is lost.
#[derive(Debug)]
pub enum Failure {
    /// qmail-send runs, and would lose sight of what is moved.
    Running,
    /// The system would not do it.
    System(&'static str, PathBuf, io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => formatter.write_str("qmail-send is running"),
            Self::System(what, path, error) => {
                write!(formatter, "unable to {what} {}: {}", path.display(), errno::text(error))
            }
        }
    }
}

impl std::error::Error for Failure {}

/// The queue at `root` with the split that its directories make; messages that are among them, as in
/// a queue that was never split, do not count. `todo` is not touched, and its layout does not matter.
///
/// # Errors
/// `InvalidData` if the directories are not 0, 1, 2, …
pub fn open(root: &Path) -> io::Result<Queue> {
    let (mut count, mut highest) = (0, 0);
    for entry in fs::read_dir(root.join("mess"))? {
        let entry = entry?;
        if let Some(part) = QueueId::parse(entry.file_name().as_bytes())
            && entry.file_type()?.is_dir()
        {
            count += 1;
            highest = highest.max(part.as_u64());
        }
    }
    let split = NonZeroU64::new(count).filter(|_| highest + 1 == count);
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "mess is not split into 0, 1, 2, …");
    Ok(Queue::with_layout(root, split.ok_or_else(wrong)?, Todo::Flat))
}

/// Moves every message below `mess`, `info`, `local` and `remote`. A file whose place is taken stays
/// where it is, and `complain` is told. Returns how many have moved.
pub fn upgrade(queue: &Queue, mut complain: impl FnMut(&Failure)) -> Result<u64, Failure> {
    let _nobody_else = lock(queue)?;
    let mut moved = 0;
    type Place<'q> = &'q dyn Fn(QueueId) -> PathBuf;
    let places: [(&str, Place<'_>); 4] = [
        ("mess", &|id| queue.mess(id)),
        ("info", &|id| queue.info(id)),
        ("local", &|id| queue.recipients(Channel::Local, id)),
        ("remote", &|id| queue.recipients(Channel::Remote, id)),
    ];
    for (name, place) in places {
        let mut files = Vec::new();
        find_files(&queue.root().join(name), &mut files)?;
        for (id, path) in files {
            match move_file(&path, &place(id)) {
                Ok(has_moved) => moved += u64::from(has_moved),
                Err(failure) => complain(&failure),
            }
        }
    }
    Ok(moved)
}

fn lock(queue: &Queue) -> Result<File, Failure> {
    let path = queue.root().join("lock/sendmutex");
    let failed = |error| Failure::System("lock", path.clone(), error);
    let file = OpenOptions::new().write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::Running),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// All files below a directory that are named as messages are.
fn find_files(directory: &Path, files: &mut Vec<(QueueId, PathBuf)>) -> Result<(), Failure> {
    let failed = |error| Failure::System("read", directory.to_owned(), error);
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            find_files(&entry.path(), files)?;
        } else if let Some(id) = QueueId::parse(entry.file_name().as_bytes())
            && kind.is_file()
        {
            files.push((id, entry.path()));
        }
    }
    Ok(())
}

/// Linked first and removed then: at every moment the file has a name, and none is overwritten.
fn move_file(from: &Path, to: &Path) -> Result<bool, Failure> {
    if from == to {
        return Ok(false);
    }
    let linked = match fs::hard_link(from, to) {
        // By a run that broke off before it had removed the old name.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && are_one(from, to) => Ok(()),
        linked => linked,
    };
    let moved = linked
        .and_then(|()| sync_directory(to.parent().unwrap_or(Path::new("."))))
        .and_then(|()| fs::remove_file(from));
    moved.map_err(|error| Failure::System("move", from.to_owned(), error))?;
    Ok(true)
}

/// Whether two names are of the same file.
fn are_one(one: &Path, other: &Path) -> bool {
    let identity = |path| fs::symlink_metadata(path).map(|file| (file.dev(), file.ino())).ok();
    identity(one).is_some_and(|file| identity(other) == Some(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(split: u32, files: &[&str]) -> (tempfile::TempDir, Queue) {
        let root = tempfile::tempdir().unwrap();
        for name in ["mess", "info", "local", "remote"] {
            for part in 0..split {
                fs::create_dir_all(root.path().join(format!("{name}/{part}"))).unwrap();
            }
        }
        fs::create_dir(root.path().join("lock")).unwrap();
        for file in files.iter().chain(&["lock/sendmutex"]) {
            File::create(root.path().join(file)).unwrap();
        }
        let queue = open(root.path()).unwrap();
        (root, queue)
    }

    #[test]
    fn files_go_where_the_split_wants_them() {
        let files = ["mess/5", "mess/0/7", "info/1/7", "local/2/5", "remote/0/4", "mess/0/name"];
        let (root, queue) = queue(3, &files);
        assert_eq!(upgrade(&queue, |failure| panic!("{failure}")).unwrap(), 3);
        for file in ["mess/2/5", "mess/1/7", "info/1/7", "local/2/5", "remote/1/4", "mess/0/name"] {
            assert!(root.path().join(file).exists(), "{file}");
        }
        assert!(!root.path().join("mess/5").exists());
    }

    #[test]
    fn a_split_with_a_gap_is_none() {
        let (root, _queue) = queue(3, &[]);
        fs::remove_dir(root.path().join("mess/1")).unwrap();
        assert_eq!(open(root.path()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn no_file_is_overwritten() {
        let (root, queue) = queue(3, &["mess/5", "mess/2/5"]);
        let mut complaints = Vec::new();
        let moved = upgrade(&queue, |failure| complaints.push(failure.to_string())).unwrap();
        let path = root.path().join("mess/5");
        let expected = format!("unable to move {}: file already exists", path.display());
        assert_eq!((moved, complaints), (0, vec![expected]));
        assert!(path.exists());
    }

    #[test]
    fn a_run_that_broke_off_is_finished_by_the_next() {
        let (root, queue) = queue(3, &["mess/5"]);
        let (old, new) = (root.path().join("mess/5"), root.path().join("mess/2/5"));
        fs::hard_link(&old, &new).unwrap();
        assert_eq!(upgrade(&queue, |failure| panic!("{failure}")).unwrap(), 1);
        assert!(!old.exists() && new.exists());
    }

    #[test]
    fn nothing_is_moved_while_qmail_send_runs() {
        let (root, queue) = queue(3, &["mess/5"]);
        let mutex = File::create(root.path().join("lock/sendmutex")).unwrap();
        mutex.lock().unwrap();
        assert!(matches!(upgrade(&queue, |_| ()), Err(Failure::Running)));
        assert!(root.path().join("mess/5").exists());
    }
}
