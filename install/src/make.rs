//! Making a tree, or completing one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use qmail_sys::sync_directory;

use crate::item::{Item, items};
use crate::shape::Shape;
use crate::what::What;
use crate::{Failure, Place, contents, file};

/// Makes everything that is missing at `place`, replaces the programs by those in `sources` (the
/// first directory that has one wins), and corrects owners and modes.
///
/// Control files, users, aliases and the queue stay as they are.
///
/// # Errors
/// At the first thing that cannot be done. What was done before stays, and doing it again is
/// harmless.
pub fn install(place: &Place, sources: &[PathBuf]) -> Result<(), Failure> {
    let items = items(place, Shape::of(&place.home)?);
    contents::all_there(&items, sources)?;
    for item in &items {
        let path = place.path(item);
        match contents::of(item, place, sources)? {
            Some(mut contents) => file::replace(&path, item, &mut contents)?,
            None => file::ensure(&path, item)?,
        }
    }
    sync(&items, place)
}

/// Makes what no package can bring at `place`: the queue, whose layout must stay as it is, and the
/// numbers of the accounts. Files that were unpacked get their owners and modes.
///
/// # Errors
/// As [`install`], and if a file is not there.
pub fn complete(place: &Place) -> Result<(), Failure> {
    let items = items(place, Shape::of(&place.home)?);
    for item in &items {
        let path = place.path(item);
        if item.what == What::Ids {
            file::replace(&path, item, &mut place.accounts.to_ids().as_bytes())?;
        } else {
            file::ensure(&path, item)?;
        }
    }
    sync(&items, place)
}

/// Waits until the names of files that were replaced are on disk.
fn sync(items: &[Item], place: &Place) -> Result<(), Failure> {
    let replaced = items.iter().filter(|item| item.what.is_replaced());
    let directories: BTreeSet<PathBuf> =
        replaced.filter_map(|item| place.path(item).parent().map(Path::to_owned)).collect();
    directories.iter().try_for_each(|directory| {
        sync_directory(directory).map_err(Failure::unable("sync", directory))
    })
}
