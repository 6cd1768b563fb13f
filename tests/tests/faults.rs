//! What becomes of mail when system calls fail: nothing is lost, nothing comes back that could have
//! been delivered later, nobody spins, and no descriptor is forgotten.
#![cfg(target_arch = "x86_64")]

use std::time::Instant;

use qmail_conformance::crash::faults::{Fault, kinds};
use qmail_conformance::crash::plan::Site;
use qmail_conformance::crash::random::Random;
use qmail_conformance::crash::report::{is_thorough, only_program, say};

/// Calls that fail, besides those by which many files are synced at once.
const FAULTS: usize = 48;

/// The same where files are synced one by one: only of who does so.
const FAULTS_WITHOUT_GROUPS: usize = 8;

#[test]
fn whatever_fails_is_tried_again() {
    let Some(site) = Site::new() else { return };
    let_fail(&site, FAULTS, |fault| only_program().is_none_or(|only| fault.program == only));
}

#[test]
fn whatever_fails_while_files_are_synced_one_by_one_is_tried_again() {
    let Some(site) = Site::without_groups().filter(|site| !site.tree.is_original()) else { return };
    let is_wanted = |fault: &Fault| fault.program == "qmail-todo" && fault.call != "io_setup";
    let_fail(&site, FAULTS_WITHOUT_GROUPS, is_wanted);
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
    let way = if site.syncs_groups { "" } else { ", files synced one by one" };
    say(&format!(
        "faults{way}: {reached} calls failed of {tried} tried of {known} known, 0 wrong; {:?}",
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
