//! Every file of every message.

use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use qmail_core::queue::QueueId;

use super::areas::Area;
use qmail_core::progress::Progress;

/// What stands between the two numbers of a file that is on its way from one to the other. To
/// qmail it is no message.
const ON_THE_WAY: &str = ".was.";

/// The name of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Name {
    /// A message.
    Message(QueueId),
    /// A message that gets a new number.
    Moving { to: QueueId, from: QueueId },
}

impl Name {
    pub(super) fn parse(name: &str) -> Option<Self> {
        let number = |text: &str| QueueId::parse(text.as_bytes());
        match name.split_once(ON_THE_WAY) {
            Some((to, from)) => Some(Self::Moving { to: number(to)?, from: number(from)? }),
            None => number(name).map(Self::Message),
        }
    }

    pub(super) fn text(self) -> String {
        match self {
            Self::Message(id) => id.to_string(),
            Self::Moving { to, from } => format!("{to}{ON_THE_WAY}{from}"),
        }
    }
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Which of the areas it is in.
    pub(super) area: usize,
    /// Which part of that.
    pub(super) part: Option<u64>,
    pub(super) name: Name,
    pub(super) inode: u64,
    pub(super) uid: u32,
    pub(super) mode: u32,
}

/// What is in the areas of a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Inventory {
    pub(super) entries: Vec<Entry>,
    /// What is neither a message nor a part, below the queue.
    pub(super) strange: Vec<PathBuf>,
}

impl Inventory {
    /// Looks at everything in the areas of the queue at `root`.
    ///
    /// # Errors
    /// The directory that cannot be read.
    pub(super) fn take(
        root: &Path,
        areas: &[Area],
        progress: &mut Progress,
    ) -> Result<Self, (PathBuf, io::Error)> {
        let mut inventory = Self::default();
        for (index, area) in areas.iter().enumerate() {
            let parts = inventory.directory(root, index, area, None, progress)?;
            for part in parts {
                for deeper in inventory.directory(root, index, area, Some(part), progress)? {
                    inventory.strange.push(area.part(Some(part)).join(deeper.to_string()));
                }
            }
        }
        Ok(inventory)
    }

    /// Notes the files of one directory, and returns the parts in it.
    fn directory(
        &mut self,
        root: &Path,
        index: usize,
        area: &Area,
        part: Option<u64>,
        progress: &mut Progress,
    ) -> Result<Vec<u64>, (PathBuf, io::Error)> {
        let below = area.part(part);
        let path = root.join(&below);
        let failed = |error| (path.clone(), error);
        let mut parts = Vec::new();
        let entries = match fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(parts),
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            progress.step();
            match look(&entry).map_err(failed)? {
                Found::Part(part) => parts.push(part),
                Found::File { name, inode, uid, mode } => {
                    self.entries.push(Entry { area: index, part, name, inode, uid, mode });
                }
                Found::Strange => self.strange.push(below.join(entry.file_name())),
            }
        }
        parts.sort_unstable();
        Ok(parts)
    }
}

enum Found {
    Part(u64),
    File { name: Name, inode: u64, uid: u32, mode: u32 },
    Strange,
}

fn look(entry: &DirEntry) -> io::Result<Found> {
    let metadata = entry.metadata()?;
    let name = entry.file_name().to_str().and_then(Name::parse);
    Ok(match name {
        Some(Name::Message(part)) if metadata.is_dir() => Found::Part(part.as_u64()),
        Some(name) if metadata.is_file() => {
            let mode = metadata.mode() & 0o7777;
            Found::File { name, inode: metadata.ino(), uid: metadata.uid(), mode }
        }
        _ => Found::Strange,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repair::areas::areas;
    use std::fs::File;

    #[test]
    fn names_are_numbers_or_two_of_them() {
        let (five, seven) = (QueueId::new(5), QueueId::new(7));
        assert_eq!(Name::parse("5"), Some(Name::Message(five)));
        assert_eq!(Name::parse("5.was.7"), Some(Name::Moving { to: five, from: seven }));
        for name in ["", "x", "5.was.", ".was.7", "5.was.x", "5.was.7.was.9", "-5"] {
            assert_eq!(Name::parse(name), None, "{name}");
        }
        for name in ["5", "5.was.7"] {
            assert_eq!(Name::parse(name).unwrap().text(), name);
        }
    }

    #[test]
    fn files_are_noted_wherever_they_are_and_the_rest_is_strange() {
        let root = tempfile::tempdir().unwrap();
        for directory in ["mess/0/1", "info/3", "info/link"] {
            fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        for file in ["mess/0/5", "info/3/7.was.5", "todo.tmp", "mess/core"] {
            File::create(root.path().join(file)).unwrap();
        }
        let areas = areas(root.path());
        let mut progress = Progress::new("test", None);
        let mut inventory = Inventory::take(root.path(), &areas, &mut progress).unwrap();
        inventory.strange.sort();
        let found: Vec<_> = inventory
            .entries
            .iter()
            .map(|entry| areas[entry.area].part(entry.part).join(entry.name.text()))
            .collect();
        assert_eq!(found, [Path::new("mess/0/5"), Path::new("info/3/7.was.5")]);
        assert_eq!(inventory.strange, ["info/link", "mess/0/1", "mess/core"].map(PathBuf::from));
    }
}
