//! Control files that nobody here reads, and values that nobody here follows.

use std::fs;
use std::io;

use qmail_core::built_in::spawn_limit;
use qmail_core::control::{self, Controls};

use super::mention::OldPrograms;
use crate::findings::Findings;
use crate::{Failure, Place};

/// Read by start scripts, as "Life with qmail" has them, and by no program of qmail's.
const OF_SCRIPTS: [&str; 2] = ["concurrencyincoming", "defaultdelivery"];

/// Looks at every control file.
pub(super) fn look(
    place: &Place,
    old: &OldPrograms,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let directory = place.home.join("control");
    let entries = match fs::read_dir(&directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(Failure::unable("read", &directory))?,
    };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !is_known(name))
        .collect();
    names.sort();
    for name in names {
        let file = format!("control/{name}");
        findings.warn(match old.naming(&file) {
            Some(program) => {
                format!("{file} is read by {program} as it is now, and by nobody here")
            }
            None => format!("{file} is read by nobody here"),
        });
    }
    concurrency(place, findings);
    Ok(())
}

fn is_known(name: &str) -> bool {
    OF_SCRIPTS.contains(&name) || control::ALL.iter().any(|control| control.file == name)
}

/// A spawner that was built for less takes no more, whatever the file says.
fn concurrency(place: &Place, findings: &mut Findings) {
    let Ok(controls) = Controls::open(&place.home) else { return };
    let limit = match controls.number(&control::SPAWNLIMIT) {
        Ok(0) | Err(_) => u64::from(spawn_limit()),
        Ok(limit) => limit,
    };
    for control in [control::CONCURRENCYLOCAL, control::CONCURRENCYREMOTE] {
        if let Ok(wanted) = controls.number(&control)
            && wanted > limit
        {
            findings.warn(format!(
                "control/{} is {wanted}, but no more than {limit} are run at once: \
                 see spawnlimit in qmail-control(5)",
                control.file
            ));
        }
    }
}
