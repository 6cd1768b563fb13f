//! What is on a disk: names in directories, and what is in files.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::ffi::{OsStr, OsString};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::event::{Change, File, Name};

/// A disk. Copies share what they have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    directories: BTreeMap<File, Arc<BTreeMap<OsString, File>>>,
    contents: BTreeMap<File, Arc<Content>>,
}

/// What is in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Content {
    bytes: Vec<u8>,
    /// So that a disk need not be read to be compared.
    digest: u64,
}

impl Content {
    fn new(bytes: Vec<u8>) -> Self {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        Self { bytes, digest: hasher.finish() }
    }
}

impl Disk {
    /// A directory that is there from the beginning.
    pub fn add_directory(&mut self, directory: File) {
        self.directories.entry(directory).or_default();
    }

    /// A file that is there from the beginning, or that has no name yet.
    pub fn add_file(&mut self, file: File, content: Vec<u8>) {
        self.contents.insert(file, Arc::new(Content::new(content)));
    }

    /// A name that is there.
    pub fn add_name(&mut self, name: Name, file: File) {
        self.names_of(name.directory).insert(name.name, file);
    }

    /// Does to this disk what a program did to another one.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Make(name, file) => {
                self.contents.entry(*file).or_default();
                self.add_name(name.clone(), *file);
            }
            Change::MakeDirectory(name, file) => {
                self.add_directory(*file);
                self.add_name(name.clone(), *file);
            }
            Change::Link(name, file) => self.add_name(name.clone(), *file),
            Change::Remove(name) => {
                self.names_of(name.directory).remove(&name.name);
            }
            Change::Move(from, to) => {
                if let Some(file) = self.names_of(from.directory).remove(&from.name) {
                    self.add_name(to.clone(), file);
                }
            }
            Change::Write(file, offset, bytes) => {
                let offset = usize::try_from(*offset).unwrap_or(usize::MAX);
                self.change(*file, |content| {
                    let end = offset + bytes.len();
                    content.resize(content.len().max(end), 0);
                    content[offset..end].copy_from_slice(bytes);
                });
            }
            Change::Resize(file, length) => {
                let length = usize::try_from(*length).unwrap_or(usize::MAX);
                self.change(*file, |content| content.resize(length, 0));
            }
            Change::Sync(_)
            | Change::WriteOut(_)
            | Change::SyncsBegun(_)
            | Change::SyncsEnded(_)
            | Change::SyncFailed(_)
            | Change::SyncAll
            | Change::NumberFree => {}
        }
    }

    fn change(&mut self, file: File, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.content(file).to_vec();
        change(&mut bytes);
        self.add_file(file, bytes);
    }

    fn names_of(&mut self, directory: File) -> &mut BTreeMap<OsString, File> {
        Arc::make_mut(self.directories.entry(directory).or_default())
    }

    /// The names in a directory.
    pub fn names(&self, directory: File) -> impl Iterator<Item = (&OsStr, File)> {
        let names = self.directories.get(&directory).into_iter().flat_map(|names| names.iter());
        names.map(|(name, file)| (name.as_os_str(), *file))
    }

    /// All directories.
    pub fn directories(&self) -> impl Iterator<Item = File> + '_ {
        self.directories.keys().copied()
    }

    /// Whether this is a directory.
    #[must_use]
    pub fn is_directory(&self, file: File) -> bool {
        self.directories.contains_key(&file)
    }

    /// What is in a file.
    #[must_use]
    pub fn content(&self, file: File) -> &[u8] {
        self.contents.get(&file).map_or(&[], |content| &content.bytes)
    }

    /// A number that is the same for disks that look the same: of a file without a name nothing is
    /// seen any more.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (directory, names) in &self.directories {
            for (name, file) in names.iter() {
                let digest = self.contents.get(file).map(|content| content.digest);
                (directory, name, file, digest).hash(&mut hasher);
            }
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_do_what_their_calls_do() {
        let (directory, other, file) = (File(0), File(1), File(2));
        let name = |name: &str| Name { directory, name: name.into() };
        let far = Name { directory: other, name: "far".into() };
        let mut disk = Disk::default();
        disk.add_directory(directory);
        disk.add_directory(other);
        for change in [
            Change::Make(name("a"), file),
            Change::Write(file, 2, b"xyz".to_vec()),
            Change::Link(name("b"), file),
            Change::Remove(name("a")),
            Change::Move(name("b"), far),
            Change::Resize(file, 4),
        ] {
            disk.apply(&change);
        }
        assert_eq!(disk.names(directory).count(), 0);
        assert_eq!(disk.names(other).collect::<Vec<_>>(), [(OsStr::new("far"), file)]);
        assert_eq!(disk.content(file), b"\0\0xy");
    }

    #[test]
    fn what_has_no_name_is_not_seen() {
        let mut disk = Disk::default();
        disk.add_directory(File(0));
        let before = disk.fingerprint();
        disk.add_file(File(1), b"x".to_vec());
        assert_eq!(disk.fingerprint(), before);
        disk.add_name(Name { directory: File(0), name: "x".into() }, File(1));
        assert_ne!(disk.fingerprint(), before);
    }
}
