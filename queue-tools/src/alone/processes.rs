//! Which processes have to do with a queue, as `/proc` tells. Where it tells nothing, nobody is seen.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: String,
}

/// All processes but this one that work in the queue at `root`, or have one of its files open.
pub(crate) fn in_queue(root: &Path) -> Vec<Process> {
    let Some(root) = Directory::of(root) else { return Vec::new() };
    let others = processes().filter(|id| *id != std::process::id());
    others.filter(|id| root.is_used_by(*id)).map(process).collect()
}

/// The process of this name that has `file` open.
pub(crate) fn holder(file: &Path, name: &str) -> Option<Process> {
    let wanted = identity(file)?;
    let mut named = processes().map(process).filter(|process| process.name == name);
    named.find(|process| open_files(process.id).any(|path| identity(&path) == Some(wanted)))
}

/// A directory by what tells it from all others, even where it is mounted under another name.
struct Directory {
    path: PathBuf,
    identity: (u64, u64),
}

impl Directory {
    fn of(path: &Path) -> Option<Self> {
        Some(Self { path: path.canonicalize().ok()?, identity: identity(path)? })
    }

    fn is_used_by(&self, id: u32) -> bool {
        let cwd = PathBuf::from(format!("/proc/{id}/cwd"));
        identity(&cwd) == Some(self.identity) || open_files(id).any(|link| self.has(&link))
    }

    /// Whether an open file is in here. The same path may be another file to another process.
    fn has(&self, link: &Path) -> bool {
        let path = fs::read_link(link).ok().filter(|path| path.starts_with(&self.path));
        path.is_some_and(|path| identity(&path).is_some() && identity(&path) == identity(link))
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn process(id: u32) -> Process {
    let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
    Process { id, name: name.trim_end().to_owned() }
}

fn open_files(id: u32) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::process::{Command, Stdio};

    #[test]
    fn who_has_a_file_open_is_found_by_name() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("mutex");
        let file = File::create(&path).unwrap();
        assert_eq!(holder(&path, "cat"), None);
        let mut child =
            Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::from(file)).spawn().unwrap();
        // The name is that of the test until the exec is done.
        while process(child.id()).name != "cat" {
            std::thread::yield_now();
        }
        let expected = Process { id: child.id(), name: "cat".into() };
        assert_eq!(holder(&path, "cat"), Some(expected.clone()));
        assert_eq!(in_queue(root.path()), [expected]);
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(in_queue(root.path()), []);
    }
}
