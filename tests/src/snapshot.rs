//! What files look like, to see whether somebody changed them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file or directory: kind and mode, owner and group, inode number, and for a file the time of
/// its last change and what is in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    mode: u32,
    owner: (u32, u32),
    inode: u64,
    changed: Option<(i64, i64)>,
    content: Option<Vec<u8>>,
}

/// Everything below a directory, and the directory itself, by its path.
///
/// # Panics
///
/// When it cannot be read.
#[must_use]
pub fn snapshot(root: &Path) -> BTreeMap<PathBuf, Entry> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![root.to_path_buf()];
    while let Some(path) = waiting.pop() {
        let metadata = fs::symlink_metadata(&path).expect("nobody removes anything meanwhile");
        if metadata.is_dir() {
            let entries = fs::read_dir(&path).expect("a directory can be read");
            waiting.extend(entries.flatten().map(|entry| entry.path()));
        }
        let is_file = metadata.is_file();
        let entry = Entry {
            mode: metadata.mode(),
            owner: (metadata.uid(), metadata.gid()),
            inode: metadata.ino(),
            changed: is_file.then(|| (metadata.mtime(), metadata.mtime_nsec())),
            content: is_file.then(|| fs::read(&path).expect("a file can be read")),
        };
        found.insert(path.strip_prefix(root).unwrap_or(&path).to_path_buf(), entry);
    }
    found
}
