//! Files and directories in a tree that are not of this qmail.

use std::collections::BTreeSet;
use std::fs;
use std::io;

use super::mention::OldPrograms;
use crate::findings::Findings;
use crate::item::Item;
use crate::{Failure, Place};

/// What is found beside the parts of a tree and is nobody's mistake.
const AT_HOME: [&str; 3] = ["lost+found", "rc", "supervise"];

/// Looks at the home and at `bin`, the places where patches and other packages put things.
pub(super) fn look(
    place: &Place,
    items: &[Item],
    old: &OldPrograms,
    findings: &mut Findings,
) -> Result<(), Failure> {
    for directory in ["", "bin/"] {
        for name in strangers(place, items, directory)? {
            let path = format!("{directory}{name}");
            // The name of a directory alone may be any word.
            let user = if directory.is_empty() { old.entering(&path) } else { old.naming(&path) };
            match user {
                Some(program) => findings
                    .warn(format!("{path} is used by {program} as it is now, and by nobody here")),
                None if directory.is_empty() && AT_HOME.contains(&name.as_str()) => {}
                None => findings.stays(place.home.join(&path).display().to_string()),
            }
        }
    }
    Ok(())
}

/// Names in a directory that no row of the table has.
fn strangers(place: &Place, items: &[Item], directory: &str) -> Result<BTreeSet<String>, Failure> {
    let path = if directory.is_empty() { place.home.clone() } else { place.home.join(directory) };
    let entries = match fs::read_dir(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        entries => entries.map_err(Failure::unable("read", &path))?,
    };
    let known: BTreeSet<&str> =
        items.iter().filter_map(|item| item.path.strip_prefix(directory)).collect();
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    Ok(names.filter(|name| !known.contains(name.as_str()) && name != "queue").collect())
}
