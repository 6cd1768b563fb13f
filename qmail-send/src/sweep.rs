//! The search for messages that nobody finished putting into the queue.

use std::fs::{self, ReadDir};
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use qmail_core::queue::{OSSIFIED, Queue, QueueId};

use crate::files::look;
use crate::schedule::Time;

/// The next search begins so many seconds after the end of one.
const BETWEEN_SWEEPS: u64 = 76_431;
/// A directory that could not be read is tried again after so many seconds.
const AFTER_TROUBLE: u64 = 10;

/// A search of `mess/`, which looks at one entry at a time.
#[derive(Debug)]
pub(crate) struct Sweep {
    directories: Vec<PathBuf>,
    open: Option<ReadDir>,
    /// When there is something to do.
    due: Time,
}

/// What a step has found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    /// A message that can be removed.
    Ossified(QueueId),
    /// A directory that cannot be read.
    Unreadable(PathBuf),
}

impl Sweep {
    /// A search that begins now.
    pub(crate) fn new(now: Time) -> Self {
        Self { directories: Vec::new(), open: None, due: now }
    }

    pub(crate) fn due(&self) -> Time {
        self.due
    }

    /// Looks at one entry, or one directory.
    pub(crate) fn step(&mut self, queue: &Queue, now: Time) -> Found {
        if self.due > now {
            return Found::Nothing;
        }
        match self.open.as_mut().map(Iterator::next) {
            Some(Some(Ok(entry))) => {
                let id = QueueId::parse(entry.file_name().as_encoded_bytes());
                let ossified = id.filter(|id| is_ossified(queue, *id, now));
                return ossified.map_or(Found::Nothing, Found::Ossified);
            }
            // An error ends the directory as its end does; the next search sees the rest.
            Some(Some(Err(_)) | None) => self.leave(now),
            None => {
                if self.directories.is_empty() {
                    self.directories = queue.parts("mess").collect();
                    // The next one is the last.
                    self.directories.reverse();
                }
                return self.enter(now);
            }
        }
        Found::Nothing
    }

    fn enter(&mut self, now: Time) -> Found {
        let Some(directory) = self.directories.last() else { return Found::Nothing };
        match fs::read_dir(directory) {
            Ok(open) => {
                self.open = Some(open);
                Found::Nothing
            }
            Err(_) => {
                self.due = now.saturating_add(AFTER_TROUBLE);
                Found::Unreadable(directory.clone())
            }
        }
    }

    fn leave(&mut self, now: Time) {
        self.open = None;
        self.directories.pop();
        if self.directories.is_empty() {
            self.due = now.saturating_add(BETWEEN_SWEEPS);
        }
    }
}

/// Whether a message is older than qmail-queue may become, and was never queued, or is finished.
/// Doubt means that it stays.
fn is_ossified(queue: &Queue, id: QueueId, now: Time) -> bool {
    let accessed = fs::metadata(queue.mess(id)).and_then(|file| file.accessed());
    let old = accessed.is_ok_and(|accessed| {
        let now = UNIX_EPOCH + Duration::from_secs(now);
        now.duration_since(accessed).is_ok_and(|age| age > OSSIFIED)
    });
    let gone = |path: PathBuf| look(&path).is_ok_and(|file| file.is_none());
    // In this order: qmail-todo, who may be working on it now, makes the one in info before it has
    // the one in todo removed. The other way round we could come too early here and too late there.
    old && gone(queue.todo(id)) && gone(queue.info(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::queue;
    use std::fs::File;
    use std::time::SystemTime;

    fn now() -> Time {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
    }

    const DIRECTORIES: [&str; 5] = ["mess/0", "mess/1", "info/0", "info/1", "todo"];

    /// Everything that a whole search finds.
    fn search(queue: &Queue, now: Time) -> Vec<Found> {
        let mut sweep = Sweep::new(now);
        let mut found = Vec::new();
        while sweep.due() <= now {
            found.extend(Some(sweep.step(queue, now)).filter(|one| *one != Found::Nothing));
        }
        found
    }

    #[test]
    fn only_old_messages_that_are_neither_queued_nor_preprocessed_are_found() {
        let (_root, queue) = queue(&DIRECTORIES);
        for id in 2..=5 {
            File::create(queue.mess(QueueId::new(id))).unwrap();
        }
        File::create(queue.info(QueueId::new(3))).unwrap();
        File::create(queue.todo(QueueId::new(4))).unwrap();
        assert_eq!(search(&queue, now() + 129_000), []);
        let found = search(&queue, now() + 129_602);
        let expected = [Found::Ossified(QueueId::new(2)), Found::Ossified(QueueId::new(5))];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_search_is_repeated_and_a_directory_in_trouble_tried_again() {
        let (root, queue) = queue(&DIRECTORIES);
        let mut sweep = Sweep::new(1000);
        while sweep.due() <= 1000 {
            sweep.step(&queue, 1000);
        }
        assert_eq!(sweep.due(), 1000 + 76_431);
        fs::remove_dir(root.path().join("mess/0")).unwrap();
        let mut sweep = Sweep::new(1000);
        let unreadable = Found::Unreadable(root.path().join("mess/0"));
        assert_eq!(sweep.step(&queue, 1000), unreadable);
        assert_eq!((sweep.due(), sweep.step(&queue, 1009)), (1010, Found::Nothing));
        assert_eq!(sweep.step(&queue, 1010), unreadable);
    }
}
