//! What is left of mail when processes are killed, or the power goes. docs/durability.md tells what
//! is tried, and what must be true.
#![cfg(target_arch = "x86_64")]

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Instant;

use qmail_conformance::crash::event::{Change, Deed, Event};
use qmail_conformance::crash::kills::{Point, points};
use qmail_conformance::crash::misfortune::{Misfortune, misfortunes, one_of_each_program};
use qmail_conformance::crash::mutants::{Does, Omission, Step, swapped, syncs, without};
use qmail_conformance::crash::plan::{Ground, PROMISING, Site};
use qmail_conformance::crash::power::{Verdicts, first_violation, judge};
use qmail_conformance::crash::random::Random;
use qmail_conformance::crash::recorder::Record;
use qmail_conformance::crash::report::{Trials, at_most, is_every_call, is_wanted, say};
use qmail_conformance::crash::states::Journal;

/// Ways in which the disk may look at one point of the record, besides those that are always tried.
const STATES: usize = 20;

/// The same where a wrong program is looked for.
const STATES_OF_MUTANTS: usize = 5;

/// States of the disk on which qmail is started again.
const RECOVERIES: usize = 25;

/// Calls at which a process is killed.
const KILLS: usize = 50;

/// The same of those who do otherwise where nothing is known of the disk, and where files are synced
/// one by one besides.
const KILLS_ELSEWHERE: usize = 8;

/// So many syncs fail, one at a time, before the power does.
const FAILED_SYNCS: usize = 5;

/// So many lives are looked at until a sync is missed in one of them: an inode number that is given
/// away again in the right moment makes names safe.
const LIVES: usize = 5;

#[test]
fn a_power_failure_loses_nothing_where_names_are_written_at_once() {
    power_fails(Ground::Loose, Journal::Synchronous, RECOVERIES);
}

#[test]
fn a_power_failure_loses_nothing_where_names_keep_their_order() {
    power_fails(Ground::Ordered, Journal::Ordered, RECOVERIES);
}

#[test]
fn a_power_failure_loses_nothing_where_names_have_no_order() {
    power_fails(Ground::Loose, Journal::Loose, RECOVERIES);
}

#[test]
fn a_power_failure_loses_nothing_where_files_are_synced_one_by_one() {
    for journal in [Journal::Ordered, Journal::Loose] {
        power_fails(Ground::OneByOne, journal, RECOVERIES / 5);
    }
}

#[test]
fn a_power_failure_loses_nothing_where_names_keep_their_order_and_nobody_knows() {
    power_fails(Ground::Loose, Journal::Ordered, RECOVERIES / 5);
}

/// On what ground the programs stood, by what they did.
fn ground(record: &Record) -> Ground {
    let is_group = |event: &Event| matches!(event.deed, Deed::Disk(Change::SyncsEnded(ref all)) if all.len() > 1);
    let is_written_out = |event: &Event| matches!(event.deed, Deed::Disk(Change::WriteOut(_)));
    if record.events.iter().any(is_written_out) {
        Ground::Ordered
    } else if record.events.iter().any(is_group) {
        Ground::Loose
    } else {
        Ground::OneByOne
    }
}

fn power_fails(ground: Ground, journal: Journal, recoveries: usize) {
    let Some(site) = Site::on(ground) else { return };
    let (start, record) = (Instant::now(), site.record());
    let world = site.world(&record.watch, &record.before);
    let verdicts = judge(&world, &record, journal, at_most(STATES));
    let (prefixes, states, wrong) = (verdicts.prefixes, verdicts.states, verdicts.violations.len());
    if site.tree.is_original() {
        // It does not sync names, nor what it has to say about failures.
        say(&format!("names {journal:?}: {wrong} of {states} states wrong"));
        assert_ne!(wrong, 0);
        return;
    }
    report_violations(&record, &verdicts);
    assert_eq!(wrong, 0, "wrong states of {states} after {prefixes} prefixes");
    assert_stands_on(&site, &record);
    let is_clean = verdicts.distinct.iter().all(|(_, residue)| residue.is_none());
    // Of messages that had ended nothing is left.
    assert!(is_clean || journal == Journal::Loose);
    let different = verdicts.distinct.len();
    let sample = Random::of_this_run().sample(verdicts.distinct, at_most(recoveries));
    let recovered = sample.len();
    for (outage, _) in sample {
        site.recover(&outage.disk, &record.watch, &outage.claims);
    }
    let ground = site.ground;
    say(&format!(
        "power failures, names {journal:?}, {ground}: {prefixes} prefixes, {states} states of the disk, \
         {different} different, 0 wrong; qmail started on {recovered} of them; {:?}",
        start.elapsed()
    ));
}

/// That the programs believed what they were made to believe. This machine may have no disk by whose
/// number they can ask, or a kernel that does not sync many files at once.
fn assert_stands_on(site: &Site, record: &Record) {
    match (site.ground, ground(record)) {
        (wanted, found) if wanted == found => {}
        (Ground::Ordered, Ground::Loose) => say("there is no disk here that could have a journal"),
        (Ground::Loose, Ground::OneByOne) => say("this kernel does not sync many files at once"),
        (wanted, found) => panic!("{wanted} is wanted, and {found} is there"),
    }
}

fn report_violations(record: &Record, verdicts: &Verdicts) {
    for (outage, violation) in verdicts.violations.iter().take(5) {
        let after = outage.prefix.checked_sub(1).map(|last| &record.events[last]);
        say(&format!("{violation} after {after:?}"));
    }
}

#[test]
fn a_power_failure_after_another_misfortune_loses_nothing() {
    let Some(site) = Site::of_ours_on(Ground::Loose) else { return };
    let journal_of = |misfortune: &Misfortune| {
        if misfortune.is_of_queueing() { Journal::Ordered } else { Journal::Loose }
    };
    another_misfortune(&site, journal_of);
}

#[test]
fn a_power_failure_after_another_misfortune_loses_nothing_where_names_keep_their_order() {
    let Some(site) = Site::of_ours_on(Ground::Ordered) else { return };
    another_misfortune(&site, |_| Journal::Ordered);
}

fn another_misfortune(site: &Site, journal_of: impl Fn(&Misfortune) -> Journal) {
    let start = Instant::now();
    let (mut kills, mut syncs) = misfortunes(&site.record().events, &site.calls());
    kills.retain(|one| is_wanted(one.program()));
    syncs.retain(|one| is_wanted(one.program()));
    // Those that come once in a life first.
    syncs.reverse();
    let most = if is_every_call() { usize::MAX } else { FAILED_SYNCS };
    let mut random = Random::of_this_run();
    let mut sample = random.sample(syncs, most);
    let kills = if is_every_call() { kills } else { one_of_each_program(kills, &mut random) };
    sample.extend(kills);
    let (mut reached, mut states) = (0, 0);
    for misfortune in &sample {
        let (policy, flag) = misfortune.policy();
        let record = site.record_of_misfortune(policy);
        reached += usize::from(flag.load(Ordering::Relaxed));
        let world = site.world(&record.watch, &record.before);
        let verdicts = judge(&world, &record, journal_of(misfortune), STATES);
        report_violations(&record, &verdicts);
        let wrong = verdicts.violations.len();
        assert_eq!(wrong, 0, "wrong states of {}: {misfortune}", verdicts.states);
        states += verdicts.states;
    }
    assert!(reached * 2 >= sample.len(), "only {reached} of {} happened", sample.len());
    let ground = site.ground;
    say(&format!(
        "power failures after another misfortune, {ground}: {reached} killed processes and failed syncs, \
         {states} states of the disk, 0 wrong; {:?}",
        start.elapsed()
    ));
}

#[test]
fn whoever_is_killed_nothing_is_lost() {
    let Some(site) = Site::on(Ground::Ordered) else { return };
    kill_everybody(&site, KILLS, |point| is_wanted(&point.program));
}

#[test]
fn whoever_is_killed_where_nothing_is_known_of_the_disk_nothing_is_lost() {
    let Some(site) = Site::of_ours_on(Ground::Loose) else { return };
    kill_everybody(&site, KILLS_ELSEWHERE, |point| PROMISING.contains(&point.program.as_str()));
}

#[test]
fn whoever_is_killed_while_files_are_synced_one_by_one_nothing_is_lost() {
    let Some(site) = Site::of_ours_on(Ground::OneByOne) else { return };
    kill_everybody(&site, KILLS_ELSEWHERE, |point| point.program == "qmail-todo");
}

fn kill_everybody(site: &Site, most: usize, is_wanted: impl Fn(&Point) -> bool) {
    let trials = Trials::begin(format!("kills, {}", site.ground));
    let mut all = points(&site.record().events);
    let known = all.len();
    all.retain(is_wanted);
    let most = if is_every_call() { usize::MAX } else { most };
    let sample = Random::of_this_run().sample(all, most);
    trials.each(known, &sample, |point| site.kill_at(point));
}

#[test]
fn every_sync_is_missed() {
    let Some(site) = Site::of_ours_on(Ground::Loose) else { return };
    each_is_missed(&site, Journal::Loose, 15, |_| true);
}

#[test]
fn whatever_is_written_out_is_missed_where_names_keep_their_order() {
    let Some(site) = Site::of_ours_on(Ground::Ordered) else { return };
    each_is_missed(&site, Journal::Ordered, 7, |omitted| {
        PROMISING.contains(&omitted.program.as_str()) && !omitted.what.ends_with("/joe")
    });
}

/// Leaves out each sync that is of this kind, of which there must be so many.
fn each_is_missed(
    site: &Site,
    journal: Journal,
    least: usize,
    is_wanted: impl Fn(&Omission) -> bool,
) {
    let start = Instant::now();
    let (mut known, mut missed) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..LIVES {
        let record = site.record();
        let world = site.world(&record.watch, &record.before);
        known.extend(syncs(&record).into_iter().filter(&is_wanted));
        let is_missed = |omitted: &&Omission| {
            let mutant = without(&record, omitted);
            first_violation(&world, &mutant, journal, STATES_OF_MUTANTS).is_some()
        };
        let unnoticed: Vec<&Omission> = known.difference(&missed).collect();
        let noticed: Vec<Omission> = unnoticed.into_iter().filter(is_missed).cloned().collect();
        missed.extend(noticed);
        if missed == known {
            break;
        }
    }
    assert_eq!(missed, known, "all that is synced, and what somebody misses");
    assert!(known.len() >= least, "{known:?}");
    let (count, ground) = (missed.len(), site.ground);
    say(&format!(
        "mutants, {ground}: {count} syncs, each left out, each missed; {:?}",
        start.elapsed()
    ));
}

#[test]
fn a_file_that_is_added_to_has_a_safe_name_before_there_is_anything_in_it() {
    let Some(site) = Site::of_ours_on(Ground::Ordered) else { return };
    let record = site.record();
    let mut count = 0;
    for (at, event) in record.events.iter().enumerate() {
        let Deed::Disk(Change::Make(name, file)) = &event.deed else { continue };
        let is_bounce =
            record.watch.path(name.directory).is_some_and(|path| path.ends_with("queue/bounce"));
        if !is_bounce && name.name != "mbox" {
            continue;
        }
        count += 1;
        // Whoever is killed behind the first write leaves a file that looks like any other.
        let mut later = record.events[at..].iter().map(|event| &event.deed);
        let first = later.find(|deed| match deed {
            Deed::Disk(Change::Write(written, ..)) => written == file,
            Deed::Disk(Change::Sync(synced)) => *synced == name.directory,
            _ => false,
        });
        assert!(matches!(first, Some(Deed::Disk(Change::Sync(_)))), "{name:?}: {first:?}");
    }
    assert_eq!(count, 2, "a bounce and an mbox");
}

const fn step(program: &'static str, does: Does, place: &'static str) -> Step {
    Step { program, does, place }
}

/// Steps that must not be swapped, in their order.
const ORDER: [(Step, Step); 9] = [
    (
        step("qmail-queue", Does::SyncFile, "queue/pid"),
        step("qmail-queue", Does::Link, "queue/todo"),
    ),
    (
        step("qmail-queue", Does::SyncFile, "queue/intd"),
        step("qmail-queue", Does::Link, "queue/todo"),
    ),
    (
        step("qmail-queue", Does::SyncNames, "queue/mess"),
        step("qmail-queue", Does::Link, "queue/todo"),
    ),
    (
        step("qmail-todo", Does::SyncFile, "queue/info"),
        step("qmail-clean", Does::Remove, "queue/todo"),
    ),
    (
        step("qmail-todo", Does::SyncFile, "queue/local"),
        step("qmail-clean", Does::Remove, "queue/todo"),
    ),
    (
        step("qmail-todo", Does::SyncNames, "queue/info"),
        step("qmail-clean", Does::Remove, "queue/todo"),
    ),
    (step("qmail-local", Does::SyncFile, "box/tmp"), step("qmail-local", Does::Link, "box/new")),
    (step("qmail-local", Does::Link, "box/new"), step("qmail-send", Does::Remove, "queue/info")),
    (
        step("qmail-send", Does::SyncFile, "queue/bounce"),
        step("qmail-send", Does::Mark, "queue/local"),
    ),
];

#[test]
fn steps_in_the_wrong_order_are_noticed() {
    let Some(site) = Site::of_ours_on(Ground::Loose) else { return };
    each_swap_is_noticed(&site, Journal::Loose, ORDER.to_vec());
}

#[test]
fn steps_in_the_wrong_order_are_noticed_where_names_keep_theirs() {
    let Some(site) = Site::of_ours_on(Ground::Ordered) else { return };
    // Names that are synced for others' sake need not be.
    let order = ORDER.into_iter().filter(|(first, _)| first.does != Does::SyncNames).collect();
    each_swap_is_noticed(&site, Journal::Ordered, order);
}

fn each_swap_is_noticed(site: &Site, journal: Journal, order: Vec<(Step, Step)>) {
    let start = Instant::now();
    let (count, mut unnoticed) = (order.len(), order);
    for _ in 0..LIVES {
        let record = site.record();
        let world = site.world(&record.watch, &record.before);
        unnoticed.retain(|(first, second)| {
            let mutants = swapped(&record, *first, *second);
            assert!(!mutants.is_empty(), "no such steps: {first:?} before {second:?}");
            let is_wrong =
                |mutant: &_| first_violation(&world, mutant, journal, 10 * STATES).is_some();
            !mutants.iter().any(is_wrong)
        });
        if unnoticed.is_empty() {
            break;
        }
    }
    assert!(unnoticed.is_empty(), "not noticed, the second before the first: {unnoticed:?}");
    let ground = site.ground;
    say(&format!(
        "mutants, {ground}: {count} pairs of steps swapped, each noticed; {:?}",
        start.elapsed()
    ));
}
