//! What is in `todo/`, a few messages at a time.

use std::fs::{self, ReadDir};
use std::path::PathBuf;

use qmail_core::queue::{Queue, QueueId};

/// A scan that is under way. It holds one directory open, and no list of what is in it.
#[derive(Debug)]
pub(crate) struct Scan {
    directories: std::vec::IntoIter<PathBuf>,
    open: Option<(PathBuf, ReadDir)>,
    /// Still to be told, after the messages that were found before.
    unreadable: Option<Unreadable>,
}

/// A directory that cannot be read.
#[derive(Debug)]
pub(crate) struct Unreadable(pub PathBuf);

impl Scan {
    pub(crate) fn begin(queue: &Queue) -> Self {
        Self { directories: queue.todo_parts().into_iter(), open: None, unreadable: None }
    }

    /// At most `most` further messages.
    ///
    /// # Errors
    /// If a directory cannot be read; the scan goes on behind it.
    pub(crate) fn next(&mut self, most: usize) -> Result<Vec<QueueId>, Unreadable> {
        let mut found = Vec::new();
        while found.len() < most && self.unreadable.is_none() {
            match self.open.as_mut().map(|(_, directory)| directory.next()) {
                Some(Some(Ok(entry))) => {
                    found.extend(QueueId::parse(entry.file_name().as_encoded_bytes()));
                }
                // The next scan sees the rest.
                Some(Some(Err(_))) => {
                    self.unreadable = self.open.take().map(|(path, _)| Unreadable(path));
                }
                Some(None) => self.open = None,
                None => match self.directories.next() {
                    Some(path) => self.enter(path),
                    None => break,
                },
            }
        }
        match self.unreadable.take() {
            Some(unreadable) if found.is_empty() => return Err(unreadable),
            later => self.unreadable = later,
        }
        Ok(found)
    }

    /// Whether nothing more is to be looked at or told.
    pub(crate) fn is_over(&self) -> bool {
        self.open.is_none() && self.directories.len() == 0 && self.unreadable.is_none()
    }

    fn enter(&mut self, path: PathBuf) {
        match fs::read_dir(&path) {
            Ok(directory) => self.open = Some((path, directory)),
            Err(_) => self.unreadable = Some(Unreadable(path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::queue;
    use std::fs::File;

    #[test]
    fn every_number_is_found_once_in_both_layouts_and_nothing_else() {
        for directories in [&["mess/0", "todo"][..], &["mess/0", "mess/1", "todo/0", "todo/1"]] {
            let (root, queue) = queue(directories);
            for id in 10..30 {
                File::create(queue.todo(QueueId::new(id))).unwrap();
            }
            let part = queue.todo_parts().remove(0);
            for other in ["x", "1x", "-1"] {
                File::create(part.join(other)).unwrap();
            }
            let mut scan = Scan::begin(&queue);
            let mut found = Vec::new();
            while !scan.is_over() {
                let batch = scan.next(7).unwrap();
                assert!(batch.len() <= 7);
                found.extend(batch.into_iter().map(QueueId::as_u64));
            }
            found.sort_unstable();
            assert_eq!(found, (10..30).collect::<Vec<_>>());
            drop(root);
        }
    }

    #[test]
    fn a_part_that_cannot_be_read_does_not_hide_the_others() {
        let all = ["mess/0", "mess/1", "mess/2", "todo/0", "todo/1", "todo/2"];
        let (root, queue) = queue(&all);
        File::create(root.path().join("todo/0/3")).unwrap();
        fs::remove_dir(root.path().join("todo/1")).unwrap();
        File::create(root.path().join("todo/2/5")).unwrap();
        let mut scan = Scan::begin(&queue);
        assert_eq!(scan.next(9).unwrap(), [QueueId::new(3)]);
        assert!(scan.next(9).unwrap_err().0.ends_with("todo/1"));
        assert!(!scan.is_over());
        assert_eq!(scan.next(9).unwrap(), [QueueId::new(5)]);
        assert!(scan.is_over());
    }
}
