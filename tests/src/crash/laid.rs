//! Putting a disk into a tree: a queue and mailboxes as they were found after a crash.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, FileTimes};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::disk::Disk;
use super::event::File;
use super::watch::Watch;
use crate::files;

/// Older than anything may get that was never finished: then it is litter.
const AGE: Duration = Duration::from_secs(3 * 86_400);

/// No file of this machine has such an inode number, so that new messages get other numbers.
const FAR_AWAY: u64 = 1_000_000_000_000;

/// Removes what is below these directories, but no directory, and nothing but files.
pub fn wipe(roots: &[PathBuf]) {
    for root in roots {
        for entry in fs::read_dir(root).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                wipe(&[entry.path()]);
            } else if kind.is_file() {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Makes the watched directories look like this disk, all files old. Directories that are not there
/// any more are not made.
///
/// # Panics
/// When a file cannot be made.
pub fn lay(disk: &Disk, watch: &Watch, queue: &Path) {
    let mut made: HashMap<File, PathBuf> = HashMap::new();
    for directory in disk.directories() {
        let Some(path) = watch.path(directory) else { continue };
        if !path.is_dir() {
            continue;
        }
        let is_queue = path.starts_with(queue);
        for (name, file) in disk.names(directory) {
            let target = path.join(if is_queue { renumbered(name, queue) } else { name.into() });
            if disk.is_directory(file) || target.exists() {
                continue;
            }
            if let Some(first) = made.get(&file) {
                fs::hard_link(first, &target).expect("a further name can be made");
                continue;
            }
            make(&target, disk.content(file), watch, file);
            made.insert(file, target);
        }
    }
}

fn make(path: &Path, content: &[u8], watch: &Watch, file: File) {
    files::write(path, content);
    if let Some(origin) = watch.origin(file) {
        let (user, group) = origin.owner;
        chown(path, Some(user), Some(group)).expect("root may");
        files::set_mode(path, origin.mode);
    }
    age(path);
}

/// Makes a file look old.
pub fn age(path: &Path) {
    let then = SystemTime::now() - AGE;
    let times = FileTimes::new().set_accessed(then).set_modified(then);
    let file = fs::File::options().write(true).open(path);
    let _ = file.and_then(|file| file.set_times(times));
}

/// Another number for a message, in the same sub-directory.
fn renumbered(name: &OsStr, queue: &Path) -> OsString {
    let number = name.to_str().and_then(|name| name.parse::<u64>().ok());
    let Some(number) = number else { return name.to_owned() };
    (number + FAR_AWAY * split(queue)).to_string().into()
}

fn split(queue: &Path) -> u64 {
    files::names(&queue.join("mess")).len() as u64
}
