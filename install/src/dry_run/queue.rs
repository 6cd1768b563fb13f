//! Queues that others have laid out, or that have been moved.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use qmail_core::queue::{Queue, QueueId, Todo};

use crate::Failure;
use crate::findings::Findings;

/// What netqmail, and ext_todo and big-todo, have in a queue.
const PARTS: [&str; 9] =
    ["bounce", "info", "intd", "local", "lock", "mess", "pid", "remote", "todo"];

/// Looks at every name in the queue below `home`.
pub(super) fn look(home: &Path, findings: &mut Findings) -> Result<(), Failure> {
    let root = home.join("queue");
    for name in names(&root)? {
        if !PARTS.contains(&name.as_str()) {
            stranger(&root, &name, findings)?;
        }
    }
    let Ok(queue) = Queue::open(&root) else { return Ok(()) };
    let mut parts = vec!["mess", "info", "local", "remote"];
    match queue.todo_layout() {
        Todo::Hashed => parts.extend(["todo", "intd"]),
        Todo::Flat => {}
    }
    let mut misplaced = 0;
    for part in parts {
        misplaced += misplaced_in(&root.join(part), queue.split(), part == "mess")?;
    }
    if misplaced > 0 {
        findings.warn(format!(
            "{misplaced} files in {} are not where their numbers say: see qmail-qrepair(8)",
            root.display()
        ));
    }
    Ok(())
}

/// More channels have recipients in directories of their own, which qmail-send will not pass over.
fn stranger(root: &Path, name: &str, findings: &mut Findings) -> Result<(), Failure> {
    let path = root.join(name);
    let shown = path.display();
    if !name.starts_with("suppl") {
        findings.stays(shown.to_string());
        return Ok(());
    }
    let mut files = 0;
    for part in names(&path)? {
        files += names(&path.join(part))?.len();
    }
    if files > 0 {
        findings.warn(format!(
            "{files} messages have recipients in {shown}, for a qmail with more channels: \
             have it deliver them first, or qmail-send will not start"
        ));
    } else {
        findings.stays(format!("{shown}, empty"));
    }
    Ok(())
}

/// How many files are in a part that is not theirs, outside any part, or, in `mess`, have another
/// inode than their name says.
fn misplaced_in(directory: &Path, split: u64, has_inodes: bool) -> Result<usize, Failure> {
    let mut misplaced = 0;
    for part in names(directory)? {
        let path = directory.join(&part);
        if !path.is_dir() {
            misplaced += usize::from(QueueId::parse(part.as_bytes()).is_some());
            continue;
        }
        let entries = fs::read_dir(&path).map_err(Failure::unable("read", &path))?;
        for entry in entries.flatten() {
            let Some(id) = QueueId::parse(entry.file_name().as_encoded_bytes()) else { continue };
            let is_here = part == (id.as_u64() % split).to_string();
            let is_own = !has_inodes || entry.metadata().is_ok_and(|it| it.ino() == id.as_u64());
            misplaced += usize::from(!is_here || !is_own);
        }
    }
    Ok(misplaced)
}

/// The names in a directory, in order. One that is not there, or is none, has none.
fn names(directory: &Path) -> Result<Vec<String>, Failure> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(Failure::Unable("read", directory.to_owned(), error)),
    };
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}
