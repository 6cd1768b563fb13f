//! Bringing several messages to disk: their files, and the names of these, all at once. Between them
//! there is no order to keep, since nothing is removed from `todo/` before all of it is done.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use qmail_core::queue::Queue;
use qmail_sys::{Journal, SyncGroup, begin_writing, write_out};

use super::{Written, WrittenFile};
use crate::lines::Trouble;

/// Where the queue is.
#[derive(Debug)]
pub(crate) struct Disk {
    /// That of `todo/`: what is removed there is removed after all that was made before.
    journal: Option<Journal>,
    group: SyncGroup,
}

impl Disk {
    pub(crate) fn of(queue: &Queue) -> Self {
        let todo = File::open(queue.root().join("todo")).ok();
        let journal = todo.and_then(|directory| Journal::of(&directory));
        Self { journal, group: SyncGroup::new() }
    }

    /// The messages that are on disk before anything that is removed from now on is gone, whatever
    /// happens to this machine, and what befell the others.
    pub(crate) fn sync(
        &mut self,
        queue: &Queue,
        written: Vec<Written>,
    ) -> (Vec<Written>, Vec<Trouble>) {
        let (ordered, others): (Vec<&Written>, Vec<&Written>) =
            written.iter().partition(|message| self.keeps_order(message));
        let mut failed = not_written_out(&ordered);
        failed.extend(not_synced(&mut self.group, &others));
        let troubles = failed.iter().map(|path| Trouble::Sync(queue.name_of(path))).collect();
        let mut safe = written;
        safe.retain(|message| {
            let mut paths = message.files.iter().map(|file| &file.path).chain(&message.directories);
            paths.all(|path| !failed.contains(path))
        });
        (safe, troubles)
    }

    /// Whether all that was done for the message was done on the disk of `todo/`, which keeps its
    /// order.
    fn keeps_order(&self, message: &Written) -> bool {
        let Some(journal) = self.journal else { return false };
        let parents: BTreeSet<&Path> =
            message.files.iter().filter_map(|file| file.path.parent()).collect();
        let is_known = |directory: &PathBuf| parents.contains(directory.as_path());
        message.files.iter().all(|file| journal.has(&file.file))
            && message.directories.iter().all(is_known)
    }
}

/// The files that could not be written out.
fn not_written_out(messages: &[&Written]) -> BTreeSet<PathBuf> {
    let files = || messages.iter().flat_map(|message| &message.files);
    files().for_each(|file| begin_writing(&file.file));
    let has_failed = |file: &&WrittenFile| write_out(&file.file).is_err();
    files().filter(has_failed).map(|file| file.path.clone()).collect()
}

/// The files and directories that could not be synced.
fn not_synced(group: &mut SyncGroup, messages: &[&Written]) -> BTreeSet<PathBuf> {
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
