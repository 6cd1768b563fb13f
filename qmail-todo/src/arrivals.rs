//! What comes into `todo/`, as the kernel tells it, so that only that is looked at, and not each part
//! of `todo/` for each message.
//!
//! The trigger is still what wakes us, and everything is still scanned when we start, and every 25
//! minutes. In between no message is missed:
//!
//! - Its name is noted before link(2) returns, and qmail-queue pulls the trigger after that. We take
//!   the pulls first, then the names: the names of all pulls that we took are among them. A later pull
//!   wakes us again.
//! - The directories are watched before they are scanned: the name for which a scan comes too early is
//!   noted.
//! - Wherever names may be missing, everything is scanned: if the kernel had no room for all of
//!   them, if a directory was moved, removed or unmounted, if directories cannot be watched at all.
//! - If there were more pulls than names, somebody has linked what nobody noted, and everything is
//!   scanned. So it goes on file systems that tell nothing, if another directory is mounted over
//!   `todo/`, and when somebody pulls the trigger so that everything is looked at.
//! - What could not be done is not told of again: the next pass is a scan, as long as there is any.
//!
//! A message may be told of that a scan has found, too. It has gone from `todo/` then, and is passed
//! over. So is the second of two names that are the same.

use std::collections::BTreeSet;
use std::io;

use qmail_core::queue::{Queue, QueueId, Todo};
use qmail_sys::NewNames;

/// The names that the kernel notes.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    /// None if they would not be all.
    names: Option<NewNames>,
    /// Names that were told before the trigger was pulled for them: so many pulls are still to come.
    /// After a qmail-queue that was killed between the two it is one too many, until all is scanned
    /// again: that only makes it harder to notice a name that was not noted.
    ahead: usize,
}

impl Arrivals {
    /// Those that come from now on: to be called before `todo/` is scanned.
    pub(crate) fn watch(queue: &Queue) -> Self {
        Self { names: watch(queue).ok(), ahead: 0 }
    }

    /// Whether nothing can be told before [`Self::watch`] was called again.
    pub(crate) fn are_unknown(&self) -> bool {
        self.names.is_none()
    }

    /// The messages that have come since the last time. None if only a scan can tell.
    ///
    /// `pulls` is how often the trigger was pulled, which must have been asked before.
    pub(crate) fn take(&mut self, pulls: usize) -> Option<Vec<QueueId>> {
        let Ok(names) = self.names.as_ref()?.take() else {
            self.names = None;
            return None;
        };
        let ids = names.iter().filter_map(|name| QueueId::parse(name.as_encoded_bytes()));
        let mut ids: Vec<QueueId> = ids.collect();
        let ahead = (self.ahead + ids.len()).checked_sub(pulls);
        self.ahead = ahead.unwrap_or(0);
        ahead?;
        let mut known = BTreeSet::new();
        ids.retain(|id| known.insert(*id));
        Some(ids)
    }
}

fn watch(queue: &Queue) -> io::Result<NewNames> {
    let mut directories = queue.todo_parts();
    if queue.todo_layout() == Todo::Hashed {
        // So that we hear of it when the parts go with it, or there are new ones.
        directories.push(queue.root().join("todo"));
    }
    NewNames::in_all(directories.iter().map(AsRef::as_ref))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::queue;
    use std::fs::{self, File};
    use std::path::Path;

    const LAYOUTS: [&[&str]; 2] =
        [&["mess/0", "mess/1", "todo"], &["mess/0", "mess/1", "todo/0", "todo/1"]];

    fn come(queue: &Queue, ids: impl IntoIterator<Item = u64>) {
        for id in ids {
            File::create(queue.todo(QueueId::new(id))).unwrap();
        }
    }

    fn numbers(ids: Option<Vec<QueueId>>) -> Option<Vec<u64>> {
        ids.map(|ids| ids.into_iter().map(QueueId::as_u64).collect())
    }

    #[test]
    fn what_comes_is_told_once_in_both_layouts() {
        for layout in LAYOUTS {
            let (root, queue) = queue(layout);
            come(&queue, [2, 3]);
            let mut arrivals = Arrivals::watch(&queue);
            assert!(!arrivals.are_unknown());
            come(&queue, [7, 4]);
            File::create(queue.todo(QueueId::new(9)).with_file_name("9x")).unwrap();
            assert_eq!(numbers(arrivals.take(1)), Some(vec![7, 4]));
            assert_eq!(numbers(arrivals.take(1)), Some(vec![]));
            // A number that is used again.
            for id in [QueueId::new(4), QueueId::new(7)] {
                fs::rename(queue.todo(id), root.path().join("gone")).unwrap();
                fs::rename(root.path().join("gone"), queue.todo(id)).unwrap();
                fs::rename(queue.todo(id), root.path().join("gone")).unwrap();
            }
            come(&queue, [4]);
            assert_eq!(numbers(arrivals.take(3)), Some(vec![4, 7]));
        }
    }

    #[test]
    fn more_pulls_than_names_make_a_scan_necessary() {
        let (_root, queue) = queue(LAYOUTS[1]);
        let mut arrivals = Arrivals::watch(&queue);
        assert_eq!(arrivals.take(1), None);
        come(&queue, [2, 3]);
        assert_eq!(numbers(arrivals.take(1)), Some(vec![2, 3]));
        come(&queue, [4]);
        assert_eq!(arrivals.take(3), None);
        assert!(!arrivals.are_unknown());
        come(&queue, [5]);
        assert_eq!(numbers(arrivals.take(1)), Some(vec![5]));
    }

    #[test]
    fn nothing_is_told_of_directories_that_are_not_where_they_were() {
        type Change = fn(&Path);
        let changes: [Change; 4] = [
            |root| fs::rename(root.join("todo"), root.join("moved")).unwrap(),
            |root| fs::rename(root.join("todo/1"), root.join("todo/moved")).unwrap(),
            |root| fs::remove_dir(root.join("todo/0")).unwrap(),
            |root| fs::create_dir(root.join("todo/2")).unwrap(),
        ];
        for change in changes {
            let (root, queue) = queue(LAYOUTS[1]);
            let mut arrivals = Arrivals::watch(&queue);
            change(root.path());
            assert_eq!(arrivals.take(0), None);
            assert!(arrivals.are_unknown());
            assert_eq!(arrivals.take(0), None);
        }
    }

    #[test]
    fn without_a_part_nothing_is_told() {
        let (root, queue) = queue(LAYOUTS[1]);
        fs::remove_dir(root.path().join("todo/1")).unwrap();
        assert!(Arrivals::watch(&queue).are_unknown());
    }
}
