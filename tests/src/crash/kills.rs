//! Killing one process at one of its calls, and starting qmail again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::event::{Change, Deed, Event};
use super::law::{Claims, Fate, Residue};
use super::plan::{Settled, Site};
use super::recorder::{Moment, Policy, Recorder, Verdict};
use super::recovery::Copies;

/// A call of a program: the last that it begins, and it has no effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// What the program is called.
    pub program: String,
    /// How many calls that somebody can notice, of all processes of that name, come before it.
    pub after: usize,
}

impl fmt::Display for Point {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, killed after {} calls", self.program, self.after)
    }
}

/// After these have died a delivery may be repeated: nobody may know any more that it was done. So
/// may a bounce after the qmail-queue that took it has.
const KNOW_OF_DELIVERIES: [&str; 3] = ["qmail-send", "qmail-local", "qmail-lspawn"];

/// All points of a record.
#[must_use]
pub fn points(events: &[Event]) -> Vec<Point> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for event in events.iter().filter(|event| is_call(&event.deed)) {
        *counts.entry(&event.process.name).or_default() += 1;
    }
    let program = |(program, count): (&str, usize)| {
        let program = program.to_owned();
        (0..count).map(move |after| Point { program: program.clone(), after })
    };
    let known = |(program, _): &(&str, usize)| super::PROGRAMS.contains(program);
    counts.into_iter().filter(known).flat_map(program).collect()
}

/// Whether this is what a call does, and not what else came of it.
fn is_call(deed: &Deed) -> bool {
    !matches!(deed, Deed::Disk(Change::NumberFree | Change::SyncFailed(_)))
}

/// Kills at this point, and says when it was reached.
pub(crate) fn killing(point: &Point) -> (Policy, Arc<AtomicBool>) {
    let reached = Arc::new(AtomicBool::new(false));
    let (flag, point, mut count) = (Arc::clone(&reached), point.clone(), 0);
    let decide = move |moment: &Moment<'_>| {
        if *moment.process.name != *point.program || !is_noticed(moment.deed) {
            return Verdict::Go;
        }
        count += 1;
        if count != point.after + 1 {
            return Verdict::Go;
        }
        flag.store(true, Ordering::Relaxed);
        Verdict::Kill
    };
    (Box::new(decide), reached)
}

fn is_noticed(deed: Option<&Deed>) -> bool {
    matches!(deed, Some(Deed::Disk(_) | Deed::Said(..) | Deed::Exits(_)))
}

impl Site {
    /// Kills at a point of a life of all messages, starts again, and judges; whether the point was
    /// reached: no two lives are quite the same.
    ///
    /// # Panics
    /// If something is wrong.
    pub fn kill_at(&self, point: &Point) -> bool {
        println!("{point}");
        self.wipe();
        let (policy, reached) = killing(point);
        let (recorder, _) = Recorder::watching(&self.roots(), self.policy(policy));
        let acknowledged = self.queue_all(&recorder);
        let mut running = self.tree.start_recorded(&recorder);
        if self.settle_or_rest(&mut running) != Settled::Ended {
            running.end();
        }
        let mut claims = Claims { acknowledged, ..Claims::default() };
        if point.program == "qmail-pop3d" {
            self.read(point, &recorder, &mut claims);
        }
        recorder.wait();
        if reached.load(Ordering::Relaxed) {
            self.assert_recovers(point, &claims);
        }
        reached.load(Ordering::Relaxed)
    }

    /// Joe deletes one of his messages, which is then nobody's concern any more.
    fn read(&self, point: &Point, recorder: &Recorder, claims: &mut Claims) {
        let before = self.copies();
        let _ = self.read_and_delete(recorder);
        let tags: Vec<_> = self.fates().map(|(mail, _)| mail.tag).collect();
        let rows = tags.into_iter().zip(before.into_iter().zip(self.copies()));
        let gone: Vec<_> = rows.filter(|(_, (before, after))| before != after).collect();
        assert!(gone.len() <= 1, "{point}: {gone:?}");
        claims.deleted.extend(gone.into_iter().map(|(tag, _)| tag));
    }

    fn assert_recovers(&self, point: &Point, claims: &Claims) {
        let found = self.look();
        let verdict = found.world.judge(&found.disk, claims);
        assert_eq!(verdict, Ok(Residue::default()), "{point}");
        let before = self.copies();
        self.age_litter();
        let log = self.run_until_settled(&BTreeSet::new());
        let fates = self.fates().map(|(_, fate)| fate);
        for ((before, after), fate) in before.into_iter().zip(self.copies()).zip(fates) {
            let most = if may_be_repeated(&point.program, fate) { 2 } else { 1 };
            let told = |copies: Copies| copies.arrived + copies.pending;
            let fine = told(after) == told(before) && told(before) <= most;
            assert!(fine, "{point}: {before:?} has become {after:?}: {log:#?}");
        }
        self.assert_delivered(claims);
    }
}

/// Whether somebody may get a message twice after this program has come to grief.
#[must_use]
pub fn may_be_repeated(program: &str, fate: Fate) -> bool {
    let is_sender_told = matches!(fate, Fate::Bounces(_)) && program == "qmail-queue";
    is_sender_told || KNOW_OF_DELIVERIES.contains(&program)
}
