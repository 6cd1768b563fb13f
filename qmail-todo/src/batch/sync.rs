//! Bringing several messages to disk: first what is in their files, then the files' names, each
//! directory once.

use std::collections::BTreeSet;
use std::path::PathBuf;

use qmail_core::queue::Queue;

use super::Written;
use crate::lines::{Trouble, name};

/// The messages that are on disk whatever happens to this machine, and what befell the others.
pub(crate) fn sync(queue: &Queue, written: Vec<Written>) -> (Vec<Written>, Vec<Trouble>) {
    let mut troubles = Vec::new();
    let mut safe = written;
    safe.retain(|message| match sync_files(queue, message) {
        Ok(()) => true,
        Err(trouble) => {
            troubles.push(trouble);
            false
        }
    });
    let failed = sync_directories(&safe);
    troubles.extend(failed.iter().map(|path| Trouble::Sync(name(queue, path))));
    safe.retain(|message| message.directories.is_disjoint(&failed));
    (safe, troubles)
}

fn sync_files(queue: &Queue, message: &Written) -> Result<(), Trouble> {
    let failed = message.files.iter().find(|written| written.file.sync_all().is_err());
    match failed {
        Some(written) => Err(Trouble::Sync(name(queue, &written.path))),
        None => Ok(()),
    }
}

/// The directories that could not be brought to disk.
fn sync_directories(messages: &[Written]) -> BTreeSet<PathBuf> {
    let all: BTreeSet<&PathBuf> =
        messages.iter().flat_map(|message| &message.directories).collect();
    let failed = all.into_iter().filter(|path| qmail_sys::sync_directory(path).is_err());
    failed.cloned().collect()
}
