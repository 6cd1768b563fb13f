//! What the file systems were mounted not to do.

use std::path::Path;

use qmail_sys::MountOptions;

use crate::Place;
use crate::findings::Findings;

/// Looks at those that programs and queue are, or would be, on.
pub(super) fn look(place: &Place, findings: &mut Findings) {
    for part in ["bin", "queue"] {
        let path = place.home.join(part);
        let existing = path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
        match MountOptions::of(existing) {
            Ok(options) => judge(part, existing, options, place.is_single_user(), findings),
            Err(error) => {
                let reason = qmail_core::errno::text(&error);
                findings.warn(format!("unable to see how {} is mounted: {reason}", path.display()));
            }
        }
    }
}

fn judge(
    part: &str,
    path: &Path,
    options: MountOptions,
    is_single_user: bool,
    findings: &mut Findings,
) {
    let path = path.display();
    if options.is_read_only {
        findings.warn(format!("{path} is mounted read-only: installation would stop here"));
    }
    if part != "bin" {
        return;
    }
    if options.forbids_programs {
        findings.warn(format!("{path} is mounted noexec: no program would run"));
    }
    if options.ignores_set_id && !is_single_user {
        findings.warn(format!(
            "{path} is mounted nosuid: qmail-queue could not become {} and take no mail",
            qmail_core::accounts::Role::Queue.name()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(part: &str, options: MountOptions, is_single_user: bool) -> Vec<String> {
        let mut findings = Findings::default();
        judge(part, Path::new("/q"), options, is_single_user, &mut findings);
        findings.warnings
    }

    #[test]
    fn qmail_queue_has_to_become_somebody_else_unless_all_is_one_users() {
        let options =
            MountOptions { ignores_set_id: true, forbids_programs: false, is_read_only: false };
        let [warning] = judged("bin", options, false).try_into().unwrap();
        assert!(warning.starts_with("install: warning: /q is mounted nosuid"), "{warning}");
        assert!(judged("bin", options, true).is_empty());
        assert!(judged("queue", options, false).is_empty());
    }

    #[test]
    fn each_option_that_is_in_the_way_is_told() {
        let options =
            MountOptions { ignores_set_id: true, forbids_programs: true, is_read_only: true };
        assert_eq!(judged("bin", options, false).len(), 3);
        assert_eq!(judged("queue", options, false).len(), 1);
    }
}
