//! What would be made, replaced, given away or set to another mode.

use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use qmail_core::accounts::{Group, Role};

use crate::findings::Findings;
use crate::item::Item;
use crate::what::What;
use crate::{Failure, Place, contents};

/// Programs that are scripts in netqmail, too.
const SCRIPTS: [&str; 6] =
    ["bin/datemail", "bin/elq", "bin/mailsubj", "bin/pinq", "bin/qail", "bin/qmail-qstat"];

/// Compares each item with what is there.
pub(super) fn look(
    place: &Place,
    items: &[Item],
    sources: &[PathBuf],
    findings: &mut Findings,
) -> Result<(), Failure> {
    for item in items {
        let path = place.path(item);
        // As installation does: what it replaces by rename, it does not follow.
        let is_link_itself = item.what.is_replaced() || item.path.starts_with("queue/");
        let found = if is_link_itself { fs::symlink_metadata(&path) } else { fs::metadata(&path) };
        match found {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                findings.would(format!("make {}", path.display()));
            }
            Err(error) => return Err(Failure::Unable("stat", path, error)),
            Ok(metadata) if item.what.is_replaced() => {
                let contents = contents::of(item, place, sources)?;
                replaced(place, item, &metadata, contents, findings)?;
            }
            Ok(metadata) => kept(place, item, &metadata, findings),
        }
    }
    Ok(())
}

fn replaced(
    place: &Place,
    item: &Item,
    metadata: &Metadata,
    contents: Option<Box<dyn Read>>,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let path = place.path(item);
    if metadata.is_dir() {
        findings.warn(format!("{} is a directory: installation would stop here", path.display()));
        return Ok(());
    }
    if metadata.is_symlink() {
        let target = fs::read_link(&path).map_err(Failure::unable("read", &path))?;
        findings.warn(format!(
            "{} is a link to {}, and would be a file",
            path.display(),
            target.display()
        ));
        return Ok(());
    }
    let old = fs::read(&path).map_err(Failure::unable("read", &path))?;
    let mut new = Vec::new();
    if let Some(mut contents) = contents {
        contents.read_to_end(&mut new).map_err(Failure::unable("read", &path))?;
    }
    if old == new {
        settled(place, item, metadata, findings);
        return Ok(());
    }
    findings.would(format!("replace {}", path.display()));
    let is_script = item.what == What::Program && old.starts_with(b"#!");
    if is_script && !new.starts_with(b"#!") && !SCRIPTS.contains(&item.path.as_str()) {
        findings.warn(format!(
            "{} is a script, perhaps a wrapper, and would be replaced: put it back afterwards",
            path.display()
        ));
    }
    Ok(())
}

fn kept(place: &Place, item: &Item, metadata: &Metadata, findings: &mut Findings) {
    let path = place.path(item);
    match item.what.obstacle(metadata) {
        Some(obstacle) => {
            findings.warn(format!("{} {obstacle}: installation would stop here", path.display()))
        }
        None => settled(place, item, metadata, findings),
    }
}

/// Owner and mode of what would not be made anew.
fn settled(place: &Place, item: &Item, metadata: &Metadata, findings: &mut Findings) {
    let path = place.path(item);
    if (metadata.uid(), metadata.gid()) != (item.uid, item.gid) {
        findings.would(format!(
            "give {} to {}, from {}:{}",
            path.display(),
            names(place, item),
            metadata.uid(),
            metadata.gid()
        ));
    }
    let mode = metadata.mode() & 0o7777;
    if mode != item.mode {
        findings.would(format!(
            "change the mode of {} from {mode:04o} to {:04o}",
            path.display(),
            item.mode
        ));
    }
}

/// Accounts that are yet to be made have no numbers, but names.
fn names(place: &Place, item: &Item) -> String {
    if place.is_single_user() {
        return format!("{}:{}", item.uid, item.gid);
    }
    let role = Role::ALL.into_iter().find(|role| place.accounts.user(*role).uid == item.uid);
    format!("{}:{}", role.map_or("root", Role::name), Group::Qmail.name())
}
