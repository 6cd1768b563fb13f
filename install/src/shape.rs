//! How a queue is split: as it is, or for a new one as the build says.

use std::fs;
use std::io;
use std::num::NonZeroU64;
use std::path::Path;

use qmail_core::queue::{Queue, Todo, is_closed};

use crate::Failure;

const SPLIT: &str = include_str!("../conf-split");

/// The layout of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Number of parts.
    pub(crate) split: u64,
    /// Whether envelopes are in parts, too.
    pub(crate) todo: Todo,
}

impl Shape {
    /// Where there is no queue.
    pub(crate) const NONE: Self = Self { split: 0, todo: Todo::Flat };

    /// The shape of the queue below `home`; if there is none, that of new ones.
    ///
    /// A queue that is there keeps its shape: mail in it would be lost from sight otherwise. One that
    /// qmail-qrepair has closed may be half in one shape and half in another, and what is missing
    /// there is missing on purpose.
    pub(crate) fn of(home: &Path) -> Result<Self, Failure> {
        let root = home.join("queue");
        if is_closed(&root) {
            return Err(Failure::Unexpected(root, "is closed: run qmail-qrepair -r again"));
        }
        let mess = root.join("mess");
        if is_missing_or_empty(&mess).map_err(Failure::unable("read", &mess))? {
            return Ok(Self { split: configured(SPLIT)?.get(), todo: Todo::Hashed });
        }
        let queue = Queue::open(&root).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => {
                Failure::Unexpected(mess, "is not divided into 0, 1, 2 and so on")
            }
            _ => Failure::Unable("read", mess, error),
        })?;
        Ok(Self { split: queue.split(), todo: queue.todo_layout() })
    }
}

fn is_missing_or_empty(directory: &Path) -> io::Result<bool> {
    match fs::read_dir(directory) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Within reason: a directory for each part is made in seven places.
fn configured(file: &str) -> Result<NonZeroU64, Failure> {
    let line = file.lines().next().unwrap_or_default().trim();
    line.parse().ok().filter(|split: &NonZeroU64| split.get() <= 1000).ok_or(Failure::ConfSplit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(directories: &[&str]) -> Result<Shape, Failure> {
        let home = tempfile::tempdir().unwrap();
        for directory in directories {
            fs::create_dir_all(home.path().join("queue").join(directory)).unwrap();
        }
        Shape::of(home.path())
    }

    #[test]
    fn a_new_queue_has_hashed_envelopes() {
        let expected = Shape { split: configured(SPLIT).unwrap().get(), todo: Todo::Hashed };
        assert_eq!(shape(&[]).unwrap(), expected);
        // An installation that was interrupted before there was a queue.
        assert_eq!(shape(&["todo/0", "info/0", "mess"]).unwrap(), expected);
    }

    #[test]
    fn a_queue_keeps_its_shape() {
        let flat = shape(&["mess/0", "mess/1", "mess/2", "todo"]).unwrap();
        assert_eq!(flat, Shape { split: 3, todo: Todo::Flat });
        let hashed = shape(&["mess/0", "todo/0"]).unwrap();
        assert_eq!(hashed, Shape { split: 1, todo: Todo::Hashed });
    }

    #[test]
    fn a_queue_that_is_not_understood_is_left_alone() {
        let failure = shape(&["mess/0", "mess/7"]).unwrap_err().to_string();
        assert!(failure.ends_with("/mess is not divided into 0, 1, 2 and so on"), "{failure}");
    }

    #[test]
    fn the_split_is_a_number_within_reason() {
        assert_eq!(configured("23\n\nparts of the queue").unwrap().get(), 23);
        for wrong in ["", "0", "-1", "many", "1000000"] {
            assert!(configured(wrong).is_err(), "{wrong:?}");
        }
    }
}
