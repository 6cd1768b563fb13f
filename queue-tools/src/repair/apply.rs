//! Moving files.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use qmail_sys::sync_directory;

use super::plan::{Move, ORPHANS, Plan};
use qmail_core::progress::Progress;

/// What could not be done.
#[derive(Debug)]
pub(super) struct Stuck(pub(super) PathBuf, pub(super) io::Error);

/// Moves everything that `plan` says below `root`, and tells `done` of each file that has arrived.
///
/// # Errors
/// The first file that cannot be moved. What was moved before stays where it is now, and the next
/// plan goes on from there.
pub(super) fn apply(root: &Path, plan: &Plan, mut done: impl FnMut(&Move)) -> Result<(), Stuck> {
    let total = u64::try_from(plan.len()).unwrap_or(u64::MAX);
    let mut progress = Progress::new("moving", Some(total));
    if !plan.orphans.is_empty() {
        make_place_for_orphans(root)?;
    }
    let [orphans, aside, aside_last, home_first, home] = plan.groups();
    for (group, arrives) in
        [(orphans, true), (aside, false), (aside_last, false), (home_first, true), (home, true)]
    {
        let mut touched = BTreeSet::new();
        for file in group {
            rename(root, file, &mut touched)?;
            progress.step();
            if arrives {
                done(file);
            }
        }
        for directory in touched {
            sync_directory(&directory).map_err(|error| Stuck(directory, error))?;
        }
    }
    Ok(())
}

fn make_place_for_orphans(root: &Path) -> Result<(), Stuck> {
    let place = root.join(ORPHANS);
    use std::os::unix::fs::DirBuilderExt;
    match fs::DirBuilder::new().mode(0o700).create(&place) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(Stuck(place, error)),
        _ => sync_directory(root).map_err(|error| Stuck(root.to_owned(), error)),
    }
}

fn rename(root: &Path, file: &Move, touched: &mut BTreeSet<PathBuf>) -> Result<(), Stuck> {
    let (from, to) = (root.join(&file.from), root.join(&file.to));
    let stuck = |error| Stuck(from.clone(), error);
    // rename(2) would replace it. Nobody else is here who could make it in between.
    match fs::symlink_metadata(&to) {
        Ok(_) => return Err(stuck(io::ErrorKind::AlreadyExists.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(stuck(error)),
    }
    fs::rename(&from, &to).map_err(stuck)?;
    touched.extend([&from, &to].into_iter().filter_map(|path| path.parent()).map(Path::to_owned));
    Ok(())
}
