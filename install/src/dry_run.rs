//! What making a tree would change, and what would stop working. Nothing is changed by looking.

mod changes;
mod mention;
mod mounts;
mod numbers;
mod queue;
mod settings;
mod strangers;

use std::path::PathBuf;

use crate::accounts::Missing;
use crate::findings::Findings;
use crate::item::{Item, items};
use crate::shape::Shape;
use crate::{Failure, Place, accounts, contents, place};
use mention::OldPrograms;

/// Looks at what is at `home`, and at what [`crate::install`] would make of it with the programs
/// in `sources`.
///
/// # Errors
/// If there is something that has to be read and cannot be, or a program that is not built.
pub fn dry_run(home: PathBuf, sources: &[PathBuf]) -> Result<Findings, Failure> {
    let mut findings = Findings::default();
    let missing = if qmail_sys::effective_uid() == 0 { accounts::missing(&home)? } else { vec![] };
    for missing in &missing {
        findings.would(format!("run {}", missing.command.join(" ")));
    }
    let place = foreseen_place(home, &missing)?;
    look(&place, &missing, sources, &mut findings)?;
    findings.warnings.extend(place.warnings());
    Ok(findings)
}

fn look(
    place: &Place,
    missing: &[Missing],
    sources: &[PathBuf],
    findings: &mut Findings,
) -> Result<(), Failure> {
    let items = foreseen_items(place, findings)?;
    contents::all_there(&items, sources)?;
    let old = OldPrograms::read(place, &items, sources)?;
    changes::look(place, &items, sources, findings)?;
    numbers::look(place, missing, findings);
    mounts::look(place, findings);
    settings::look(place, &old, findings)?;
    strangers::look(place, &items, &old, findings)?;
    queue::look(&place.home, findings)
}

/// The place that would be prepared.
fn foreseen_place(home: PathBuf, missing: &[Missing]) -> Result<Place, Failure> {
    let accounts = if qmail_sys::effective_uid() == 0 {
        accounts::with_stand_ins(missing)?
    } else {
        place::of_caller(&home)?
    };
    Ok(Place { home, accounts, outdated_ids: false })
}

/// Everything that there would be. A queue that is not understood is left out, and told of.
fn foreseen_items(place: &Place, findings: &mut Findings) -> Result<Vec<Item>, Failure> {
    match Shape::of(&place.home) {
        Ok(shape) => Ok(items(place, shape)),
        Err(failure @ (Failure::ConfSplit | Failure::NoProgram(_))) => Err(failure),
        Err(failure) => {
            findings.warn(format!("{failure}: nothing would be installed"));
            let mut items = items(place, Shape::NONE);
            items.retain(|item| !item.path.starts_with("queue"));
            Ok(items)
        }
    }
}

#[cfg(test)]
mod tests;
