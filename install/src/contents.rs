//! What is to be in the files that installation replaces.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use crate::item::Item;
use crate::what::What;
use crate::{Failure, Place, boot, scripts};

/// What belongs into the file that `item` is; `None` if it is no such file.
pub(crate) fn of(
    item: &Item,
    place: &Place,
    sources: &[PathBuf],
) -> Result<Option<Box<dyn Read>>, Failure> {
    let text = |text: String| -> Option<Box<dyn Read>> { Some(Box::new(Cursor::new(text))) };
    Ok(match item.what {
        What::Directory | What::Fifo | What::Zeros(_) => None,
        What::Program => {
            let source = source_of(name(item), sources)?;
            Some(Box::new(File::open(&source).map_err(Failure::unable("read", &source))?))
        }
        What::Boot(delivery) => text(boot::script(&place.home, delivery)),
        What::ForwardingBoot(delivery) => text(boot::forwarding_script(&place.home, delivery)),
        What::Ids => text(place.accounts.to_ids()),
        What::Text(text) => Some(Box::new(text.as_bytes())),
        What::Sample(sample) => text(scripts::filled(sample, &place.home)),
    })
}

/// Looks whether every program is in `sources`: a tree in use should not end up with half of them.
pub(crate) fn all_there(items: &[Item], sources: &[PathBuf]) -> Result<(), Failure> {
    let programs = items.iter().filter(|item| item.what == What::Program);
    programs.map(name).try_for_each(|name| source_of(name, sources).map(drop))
}

/// Where a program is: the first directory that has it wins.
pub(crate) fn source_of(name: &str, sources: &[PathBuf]) -> Result<PathBuf, Failure> {
    let found = sources.iter().map(|source| source.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| Failure::NoProgram(name.to_owned()))
}

fn name(item: &Item) -> &str {
    Path::new(&item.path).file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
