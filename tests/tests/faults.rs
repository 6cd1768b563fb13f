//! What becomes of mail when system calls fail: nothing is lost, nothing comes back that could have
//! been delivered later, nobody spins, and no descriptor is forgotten.
#![cfg(target_arch = "x86_64")]

use std::time::Instant;

use qmail_conformance::crash::faults::{Fault, kinds};
use qmail_conformance::crash::plan::{Ground, PROMISING, Site};
use qmail_conformance::crash::random::Random;
use qmail_conformance::crash::report::{is_thorough, only_program, say};

/// Calls that fail, besides those by which many files are synced at once.
const FAULTS: usize = 48;

/// The same of those who do otherwise where nothing is known of the disk, and where files are synced
/// one by one besides.
const FAULTS_ELSEWHERE: usize = 8;

#[test]
fn whatever_fails_is_tried_again() {
    let Some(site) = Site::on(Ground::Ordered) else { return };
    let_fail(&site, FAULTS, |fault| only_program().is_none_or(|only| fault.program == only));
}

#[test]
fn whatever_fails_where_nothing_is_known_of_the_disk_is_tried_again() {
    let Some(site) = Site::of_ours_on(Ground::Loose) else { return };
    let syncs = |fault: &Fault| fault.call == "fsync" || fault.call.starts_with("io_");
    let is_wanted = |fault: &Fault| PROMISING.contains(&fault.program.as_str()) && syncs(fault);
    let_fail(&site, FAULTS_ELSEWHERE, is_wanted);
}

#[test]
fn whatever_fails_while_files_are_synced_one_by_one_is_tried_again() {
    let Some(site) = Site::of_ours_on(Ground::OneByOne) else { return };
    let is_wanted = |fault: &Fault| fault.program == "qmail-todo" && fault.call != "io_setup";
    let_fail(&site, FAULTS_ELSEWHERE, is_wanted);
}

fn let_fail(site: &Site, most: usize, is_wanted: impl Fn(&Fault) -> bool) {
    let start = Instant::now();
    let calls = site.calls();
    let known = calls.faults.len();
    let mut all = calls.faults.clone();
    all.retain(is_wanted);
    let is_all = is_thorough() || only_program().is_some();
    let sample = if is_all { all } else { one_of_each_kind(all, most) };
    let tried = sample.len();
    let reached = sample.iter().filter(|fault| site.fail_at(fault, &calls)).count();
    assert!(reached * 2 >= tried, "only {reached} of {tried} calls came");
    let ground = site.ground;
    say(&format!(
        "faults, {ground}: {reached} calls failed of {tried} tried of {known} known, 0 wrong; {:?}",
        start.elapsed()
    ));
}

fn one_of_each_kind(all: Vec<Fault>, most: usize) -> Vec<Fault> {
    let is_of_group = |fault: &Fault| {
        fault.program == "qmail-todo" && (fault.call.starts_with("io_") || fault.call == "fsync")
    };
    let (groups, others) = all.into_iter().partition(is_of_group);
    let mut random = Random::of_this_run();
    let mut sample = kinds(groups, usize::MAX, &mut random);
    sample.extend(kinds(others, most, &mut random));
    sample
}
