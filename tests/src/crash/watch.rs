//! Which files and directories a recorder watches, and what they were at first.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::event::{File, Name};

/// How a file is to be made again.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Owner and group.
    pub owner: (u32, u32),
    /// Permissions.
    pub mode: u32,
}

/// The watched part of the file system.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    known: HashMap<(u64, u64), File>,
    origins: HashMap<File, Origin>,
    directories: HashMap<File, PathBuf>,
    next: u32,
}

impl Watch {
    /// Everything below these directories, and how it looks now.
    #[must_use]
    pub fn of(roots: &[PathBuf]) -> (Self, Disk) {
        let (mut watch, mut disk) = (Self::default(), Disk::default());
        for root in roots {
            let metadata = fs::metadata(root).expect("what is watched is there");
            let file = watch.add(&metadata);
            watch.enter(file, root, &mut disk);
        }
        (watch, disk)
    }

    fn enter(&mut self, directory: File, path: &Path, disk: &mut Disk) {
        self.directories.insert(directory, path.to_owned());
        disk.add_directory(directory);
        for entry in fs::read_dir(path).expect("what is watched can be read").flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if !metadata.is_file() && !metadata.is_dir() {
                continue;
            }
            let file = self.identify(&metadata).unwrap_or_else(|| self.add(&metadata));
            if metadata.is_dir() {
                self.enter(file, &entry.path(), disk);
            } else {
                disk.add_file(file, fs::read(entry.path()).unwrap_or_default());
            }
            disk.add_name(Name { directory, name: entry.file_name() }, file);
        }
    }

    /// A file that has just come into being.
    pub fn add(&mut self, metadata: &Metadata) -> File {
        let file = File(self.next);
        self.next += 1;
        self.known.insert((metadata.dev(), metadata.ino()), file);
        let owner = (metadata.uid(), metadata.gid());
        self.origins.insert(file, Origin { owner, mode: metadata.mode() & 0o7777 });
        file
    }

    /// A directory that has just come into being below a watched one.
    pub fn add_directory(&mut self, metadata: &Metadata, at: &Name) -> File {
        let file = self.add(metadata);
        if let Some(parent) = self.directories.get(&at.directory) {
            let path = parent.join(&at.name);
            self.directories.insert(file, path);
        }
        file
    }

    /// Which watched file this is.
    #[must_use]
    pub fn identify(&self, metadata: &Metadata) -> Option<File> {
        self.known.get(&(metadata.dev(), metadata.ino())).copied()
    }

    /// Whether it is a watched directory.
    #[must_use]
    pub fn is_directory(&self, file: File) -> bool {
        self.directories.contains_key(&file)
    }

    /// Where a directory is.
    #[must_use]
    pub fn path(&self, directory: File) -> Option<&Path> {
        self.directories.get(&directory).map(PathBuf::as_path)
    }

    /// Whose a file is.
    #[must_use]
    pub fn origin(&self, file: File) -> Option<&Origin> {
        self.origins.get(&file)
    }
}
