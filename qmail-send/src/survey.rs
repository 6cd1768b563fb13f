//! What was preprocessed before we were started: it is found part by part, while deliveries begin.
//!
//! Meanwhile no qmail-todo may work: what it finished would be missed here, and told to nobody. So
//! ours waits until it is told to start, and one that has outlived its qmail-send still has the lock.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use qmail_core::queue::{Queue, QueueId, TodoLock};

use crate::schedule::Time;

/// What was in the way is asked again after so many seconds.
const AFTER_TROUBLE: u64 = 10;
/// Another qmail-todo ends by itself: it is asked so often whether it has.
const AFTER_LOCK: u64 = 1;

/// The search, from one part of `info/` to the next.
#[derive(Debug)]
pub(crate) struct Survey {
    lock: Option<TodoLock>,
    /// The next one is the last.
    parts: Vec<PathBuf>,
    /// Of the part that was read last.
    ids: Vec<QueueId>,
    due: Time,
    hurried: bool,
}

/// What a step has found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Surveyed {
    /// These were preprocessed before.
    Messages(Vec<QueueId>),
    /// Nothing can be done now.
    Nothing,
    /// A directory that cannot be read.
    Unreadable(PathBuf),
    /// That was all.
    Complete,
}

impl Survey {
    pub(crate) fn new(queue: &Queue) -> Self {
        let mut parts: Vec<PathBuf> = queue.parts("info").collect();
        parts.reverse();
        Self { lock: None, parts, ids: Vec::new(), due: 0, hurried: false }
    }

    /// When there is something to do.
    pub(crate) fn due(&self) -> Time {
        self.due
    }

    /// What is still to be found is to be tried at once, too.
    pub(crate) fn hurry(&mut self) {
        self.hurried = true;
    }

    /// Whether [`Self::hurry`] was called.
    pub(crate) fn is_hurried(&self) -> bool {
        self.hurried
    }

    /// At most `most` further messages.
    pub(crate) fn step(&mut self, queue: &Queue, most: usize, now: Time) -> Surveyed {
        if self.due > now {
            return Surveyed::Nothing;
        }
        if self.lock.is_none() {
            match TodoLock::try_take(queue) {
                Ok(Some(lock)) => self.lock = Some(lock),
                Ok(None) => return self.later(now, AFTER_LOCK, Surveyed::Nothing),
                Err(_) => {
                    let todo = queue.root().join("todo");
                    return self.later(now, AFTER_TROUBLE, Surveyed::Unreadable(todo));
                }
            }
        }
        while self.ids.is_empty() {
            let Some(part) = self.parts.last() else { return Surveyed::Complete };
            match messages_in(part) {
                Ok(ids) => self.ids = ids,
                Err(_) => {
                    let part = part.clone();
                    return self.later(now, AFTER_TROUBLE, Surveyed::Unreadable(part));
                }
            }
            self.parts.pop();
        }
        Surveyed::Messages(self.ids.split_off(self.ids.len().saturating_sub(most)))
    }

    fn later(&mut self, now: Time, seconds: u64, surveyed: Surveyed) -> Surveyed {
        self.due = now.saturating_add(seconds);
        surveyed
    }
}

/// All of them or none: one that is missed here would wait for the next start.
fn messages_in(directory: &Path) -> io::Result<Vec<QueueId>> {
    let parse = |entry: fs::DirEntry| QueueId::parse(entry.file_name().as_encoded_bytes());
    fs::read_dir(directory)?.map(|entry| entry.map(parse)).filter_map(Result::transpose).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::queue;
    use std::fs::File;

    const DIRECTORIES: [&str; 7] =
        ["mess/0", "mess/1", "mess/2", "info/0", "info/1", "info/2", "todo"];

    #[test]
    fn every_message_is_found_once_a_few_at_a_time() {
        let (_root, queue) = queue(&DIRECTORIES);
        let ids = (10..40).filter(|id| id % 3 != 1).map(QueueId::new);
        ids.clone().for_each(|id| drop(File::create(queue.info(id)).unwrap()));
        let mut survey = Survey::new(&queue);
        let mut found = Vec::new();
        loop {
            match survey.step(&queue, 7, 1000) {
                Surveyed::Messages(some) => {
                    assert!((1..=7).contains(&some.len()));
                    found.extend(some);
                }
                end => break assert_eq!(end, Surveyed::Complete),
            }
        }
        found.sort();
        assert_eq!(found, ids.collect::<Vec<_>>());
    }

    #[test]
    fn nothing_is_looked_at_while_another_qmail_todo_works() {
        let (_root, queue) = queue(&DIRECTORIES);
        let lock = TodoLock::try_take(&queue).unwrap();
        let mut survey = Survey::new(&queue);
        assert_eq!(survey.step(&queue, 7, 1000), Surveyed::Nothing);
        assert_eq!(survey.due(), 1001);
        drop(lock);
        assert_eq!(survey.step(&queue, 7, 1000), Surveyed::Nothing);
        assert_eq!(survey.step(&queue, 7, 1001), Surveyed::Complete);
        // Ours waits until we have done with it.
        assert!(TodoLock::try_take(&queue).unwrap().is_none());
        drop(survey);
        assert!(TodoLock::try_take(&queue).unwrap().is_some());
    }

    #[test]
    fn a_part_that_cannot_be_read_is_tried_again() {
        let (root, queue) = queue(&DIRECTORIES);
        fs::remove_dir(root.path().join("info/1")).unwrap();
        let mut survey = Survey::new(&queue);
        let unreadable = Surveyed::Unreadable(root.path().join("info/1"));
        assert_eq!(survey.step(&queue, 7, 1000), unreadable);
        assert_eq!((survey.due(), survey.step(&queue, 7, 1009)), (1010, Surveyed::Nothing));
        fs::create_dir(root.path().join("info/1")).unwrap();
        assert_eq!(survey.step(&queue, 7, 1010), Surveyed::Complete);
    }
}
