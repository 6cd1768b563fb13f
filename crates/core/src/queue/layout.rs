//! Where everything in the queue is, as the queue itself shows.

use std::fmt;
use std::fs;
use std::io;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

/// The number of a message: the inode of its file in `mess/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueId(u64);

impl QueueId {
    /// The number itself.
    pub fn new(inode: u64) -> Self {
        Self(inode)
    }

    /// The number that a file name is: digits only, so that it is never a path from outside.
    pub fn parse(name: &[u8]) -> Option<Self> {
        if name.is_empty() || !name.iter().all(u8::is_ascii_digit) {
            return None;
        }
        std::str::from_utf8(name).ok()?.parse().ok().map(Self)
    }

    /// The number itself.
    pub fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for QueueId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Which spawner delivers to a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// qmail-lspawn.
    Local,
    /// qmail-rspawn.
    Remote,
}

impl Channel {
    /// Both, in the order in which they are served.
    pub const ALL: [Self; 2] = [Self::Local, Self::Remote];

    /// Its name in the queue and the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Remote => "remote",
        }
    }
}

/// How `todo/` and `intd/` are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Todo {
    /// Files.
    Flat,
    /// Sub-directories as in `mess/` (big-todo).
    Hashed,
}

/// A queue and its layout.
#[derive(Clone, Debug)]
pub struct Queue {
    root: PathBuf,
    split: NonZeroU64,
    todo: Todo,
}

impl Queue {
    /// Reads the layout from the queue at `root`: the number of sub-directories of `mess/`, and
    /// whether `todo/` has any.
    ///
    /// # Errors
    /// `InvalidData` if `mess/` is not split into 0, 1, 2, …: mail put there would be lost from
    /// sight.
    pub fn open(root: &Path) -> io::Result<Self> {
        let split = count_parts(&root.join("mess"))?;
        let hashed = root.join("todo/0").is_dir();
        Ok(Self {
            root: root.to_owned(),
            split,
            todo: if hashed { Todo::Hashed } else { Todo::Flat },
        })
    }

    /// A queue whose layout is known.
    pub fn with_layout(root: &Path, split: NonZeroU64, todo: Todo) -> Self {
        Self { root: root.to_owned(), split, todo }
    }

    /// The directory that all this is in.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Number of sub-directories.
    pub fn split(&self) -> u64 {
        self.split.get()
    }

    /// How `todo/` is laid out.
    pub fn todo_layout(&self) -> Todo {
        self.todo
    }

    /// `17/4711`: the name of a message below a split directory, as the spawners are told it.
    pub fn part_name(&self, id: QueueId) -> String {
        format!("{}/{id}", id.0 % self.split)
    }

    /// The message itself.
    pub fn mess(&self, id: QueueId) -> PathBuf {
        self.split_path("mess", id)
    }

    /// Its sender, and by the time of the file its birth.
    pub fn info(&self, id: QueueId) -> PathBuf {
        self.split_path("info", id)
    }

    /// Its recipients on a channel.
    pub fn recipients(&self, channel: Channel, id: QueueId) -> PathBuf {
        self.split_path(channel.name(), id)
    }

    /// What is to be said about its failed recipients.
    pub fn bounce(&self, id: QueueId) -> PathBuf {
        self.root.join(format!("bounce/{id}"))
    }

    /// Its envelope, once it is complete.
    pub fn todo(&self, id: QueueId) -> PathBuf {
        self.root.join(self.todo_name("todo", id))
    }

    /// Its envelope while it is being written.
    pub fn intd(&self, id: QueueId) -> PathBuf {
        self.root.join(self.todo_name("intd", id))
    }

    /// `todo/4711`, or `todo/17/4711`: the name that qmail-clean is told.
    pub fn todo_name(&self, directory: &str, id: QueueId) -> String {
        match self.todo {
            Todo::Flat => format!("{directory}/{id}"),
            Todo::Hashed => format!("{directory}/{}", self.part_name(id)),
        }
    }

    /// A file as logs name it: relative to the queue.
    pub fn name_of(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// The directories that make up `directory` (`mess`, `info`, `local`, `remote`).
    pub fn parts(&self, directory: &str) -> impl Iterator<Item = PathBuf> + use<> {
        let directory = self.root.join(directory);
        (0..self.split.get()).map(move |part| directory.join(part.to_string()))
    }

    /// The directories in which envelopes wait.
    pub fn todo_parts(&self) -> Vec<PathBuf> {
        match self.todo {
            Todo::Flat => vec![self.root.join("todo")],
            Todo::Hashed => self.parts("todo").collect(),
        }
    }

    fn split_path(&self, directory: &str, id: QueueId) -> PathBuf {
        self.root.join(format!("{directory}/{}", self.part_name(id)))
    }
}

fn count_parts(mess: &Path) -> io::Result<NonZeroU64> {
    let (mut count, mut highest) = (0_u64, 0);
    for entry in fs::read_dir(mess)? {
        let name = entry?.file_name();
        if let Some(QueueId(part)) = QueueId::parse(name.as_encoded_bytes()) {
            count += 1;
            highest = highest.max(part);
        }
    }
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "mess is not split into 0, 1, 2, …");
    NonZeroU64::new(count).filter(|_| highest == count - 1).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(directories: &[&str]) -> (tempfile::TempDir, io::Result<Queue>) {
        let root = tempfile::tempdir().unwrap();
        for directory in directories {
            fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        let queue = Queue::open(root.path());
        (root, queue)
    }

    #[test]
    fn the_layout_is_read_from_the_queue() {
        let (_root, flat) = queue(&["mess/0", "mess/1", "mess/2", "todo"]);
        let flat = flat.unwrap();
        assert_eq!((flat.split(), flat.todo_layout()), (3, Todo::Flat));
        assert!(flat.mess(QueueId(5)).ends_with("mess/2/5"));
        assert!(flat.todo(QueueId(5)).ends_with("todo/5"));
        assert_eq!(flat.name_of(&flat.mess(QueueId(5))), "mess/2/5");
        assert_eq!(flat.name_of(Path::new("/elsewhere")), "/elsewhere");
        let (_root, hashed) = queue(&["mess/0", "mess/1", "todo/0", "todo/1"]);
        let hashed = hashed.unwrap();
        assert!(hashed.todo(QueueId(5)).ends_with("todo/1/5"));
        assert_eq!(hashed.todo_parts().len(), 2);
    }

    #[test]
    fn a_wrong_split_is_an_error_since_it_would_hide_messages() {
        assert!(queue(&["mess"]).1.is_err());
        assert!(queue(&["mess/0", "mess/2"]).1.is_err());
        assert!(queue(&["mess/0", "mess/18446744073709551615"]).1.is_err());
    }

    #[test]
    fn a_number_is_digits_only() {
        assert_eq!(QueueId::parse(b"12"), Some(QueueId(12)));
        for name in [&b""[..], b".", b"+1", b"1a", b"../1", b"99999999999999999999"] {
            assert_eq!(QueueId::parse(name), None);
        }
    }
}
