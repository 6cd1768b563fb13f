//! Making a tree, or completing one.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use qmail_sys::sync_directory;

use crate::item::{Item, What, items};
use crate::shape::Shape;
use crate::{Failure, Place, boot, file};

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
    // A tree in use should not end up with half of the programs.
    for item in items.iter().filter(|item| item.what == What::Program) {
        source_of(item, sources)?;
    }
    items.iter().try_for_each(|item| make(item, place, sources))?;
    replaced_in(&items, place).iter().try_for_each(|directory| {
        sync_directory(directory).map_err(Failure::unable("sync", directory))
    })
}

/// The directories with files that were replaced.
fn replaced_in(items: &[Item], place: &Place) -> BTreeSet<PathBuf> {
    let replaced = items.iter().filter(|item| item.what.is_replaced());
    replaced.filter_map(|item| place.path(item).parent().map(Path::to_owned)).collect()
}

fn make(item: &Item, place: &Place, sources: &[PathBuf]) -> Result<(), Failure> {
    let path = place.path(item);
    let text = |text: String| file::replace(&path, item, &mut text.as_bytes());
    match item.what {
        What::Directory | What::Fifo | What::Zeros(_) => file::ensure(&path, item),
        What::Program => {
            let source = source_of(item, sources)?;
            let mut program = File::open(&source).map_err(Failure::unable("read", &source))?;
            file::replace(&path, item, &mut program)
        }
        What::Boot(delivery) => text(boot::script(&place.home, delivery)),
        What::ForwardingBoot(delivery) => text(boot::forwarding_script(&place.home, delivery)),
        What::Ids => text(place.accounts.to_ids()),
        What::Text(text) => file::replace(&path, item, &mut text.as_bytes()),
    }
}

fn source_of(item: &Item, sources: &[PathBuf]) -> Result<PathBuf, Failure> {
    let name = Path::new(&item.path).file_name().unwrap_or_default();
    let found = sources.iter().map(|source| source.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| Failure::NoProgram(name.to_string_lossy().into_owned()))
}
