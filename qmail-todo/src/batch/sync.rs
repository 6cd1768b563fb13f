//! Bringing several messages to disk: their files, and the names of these, all at once. Between them
//! there is no order to keep, since nothing is removed from `todo/` before all of it is done.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use qmail_core::queue::Queue;
use qmail_sys::SyncGroup;

use super::Written;
use crate::lines::{Trouble, name};

/// The messages that are on disk whatever happens to this machine, and what befell the others.
pub(crate) fn sync(
    group: &mut SyncGroup,
    queue: &Queue,
    written: Vec<Written>,
) -> (Vec<Written>, Vec<Trouble>) {
    let failed = failed(group, &written);
    let troubles = failed.iter().map(|path| Trouble::Sync(name(queue, path))).collect();
    let mut safe = written;
    safe.retain(|message| {
        let mut paths = message.files.iter().map(|file| &file.path).chain(&message.directories);
        paths.all(|path| !failed.contains(path))
    });
    (safe, troubles)
}

/// The files and directories that could not be brought to disk.
fn failed(group: &mut SyncGroup, messages: &[Written]) -> BTreeSet<PathBuf> {
    let names: BTreeSet<&Path> =
        messages.iter().flat_map(|message| &message.directories).map(PathBuf::as_path).collect();
    // Empty for one that cannot be opened: it is one of those that failed.
    let directories: BTreeMap<&Path, Option<File>> =
        names.into_iter().map(|path| (path, File::open(path).ok())).collect();
    let files = messages.iter().flat_map(|message| &message.files);
    let files = files.map(|file| (file.path.as_path(), file.file.as_fd()));
    let opened = directories.iter();
    let opened = opened.filter_map(|(path, file)| Some((*path, file.as_ref()?.as_fd())));
    let (paths, descriptors): (Vec<&Path>, Vec<BorrowedFd<'_>>) = files.chain(opened).unzip();
    let results = group.sync(&descriptors);
    let unsynced = paths.into_iter().zip(results).filter(|(_, result)| result.is_err());
    let unopened = directories.iter().filter(|(_, file)| file.is_none());
    let failed = unsynced.map(|(path, _)| path).chain(unopened.map(|(path, _)| *path));
    failed.map(Path::to_owned).collect()
}
