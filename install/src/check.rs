//! Verifying a tree.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::item::{Item, items};
use crate::shape::Shape;
use crate::{Failure, Place};

/// Compares everything at `place` with what it should be, and tells `warn` what is wrong.
///
/// # Errors
/// If a directory that files are expected in is not there, or the queue is not understood.
pub fn check(place: &Place, warn: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    for item in items(place, Shape::of(&place.home)?) {
        if item.what.is_replaced() {
            switch(&place.path(&item))?;
        }
        let name = shown(place, &item);
        for problem in problems(&place.path(&item), &item) {
            match problem {
                Problem::Is(text) => warn(&format!("instcheck: warning: {name} {text}")),
                Problem::Unknown(error) => {
                    let reason = qmail_core::errno::text(&error);
                    warn(&format!("instcheck: warning: unable to stat {name}: {reason}"));
                }
            }
        }
    }
    if place.outdated_ids {
        warn("instcheck: warning: .../users/ids does not match the accounts of this host");
    }
    Ok(())
}

enum Problem {
    Is(&'static str),
    Unknown(io::Error),
}

/// Files that installation replaces are shown in a shorter form, as they always were.
fn shown(place: &Place, item: &Item) -> String {
    if item.what.is_replaced() {
        format!(".../{}", item.path)
    } else {
        place.path(item).display().to_string()
    }
}

/// Looks whether the directory that `path` is in can be entered.
fn switch(path: &Path) -> Result<(), Failure> {
    let directory = path.parent().unwrap_or(path);
    fs::metadata(directory.join(".")).map(drop).map_err(Failure::unable("switch to", directory))
}

fn problems(path: &Path, item: &Item) -> Vec<Problem> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return vec![Problem::Is("does not exist")];
        }
        Err(error) => return vec![Problem::Unknown(error)],
    };
    let checks = [
        (metadata.uid() == item.uid, "has wrong owner"),
        (metadata.gid() == item.gid, "has wrong group"),
        (metadata.mode() & 0o7777 == item.mode, "has wrong permissions"),
        (item.what.is_type_of(&metadata), "has wrong type"),
    ];
    let failed = checks.into_iter().filter(|(is_right, _)| !is_right);
    failed.map(|(_, text)| Problem::Is(text)).collect()
}
