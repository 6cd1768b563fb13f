//! Going through a record: at every point the power may fail, and the disk may be in many states.

use std::collections::{BTreeMap, HashSet};

use super::disk::Disk;
use super::event::{Change, Deed, Event, Name};
use super::law::{Claims, Mail, Residue, Violation, World};
use super::random::Random;
use super::recorder::Record;
use super::states::{Journal, Pending};

/// A state in which the disk may be found.
pub struct Outage {
    /// After how many events.
    pub prefix: usize,
    /// What is on disk.
    pub disk: Disk,
    /// What had been promised.
    pub claims: Claims,
}

/// What the law says about the states after a record.
#[derive(Default)]
pub struct Verdicts {
    /// At how many points the power failed.
    pub prefixes: usize,
    /// How many states were judged.
    pub states: usize,
    /// Those that look different, as far as they are right.
    pub distinct: Vec<(Outage, Residue)>,
    /// Those that are wrong.
    pub violations: Vec<(Outage, Violation)>,
}

/// Judges the states of at most so many choices at each point.
#[must_use]
pub fn judge(world: &World, record: &Record, journal: Journal, most: usize) -> Verdicts {
    let mut verdicts = Verdicts::default();
    each_state(world, record, journal, most, |outage, verdict| {
        match verdict {
            None => verdicts.states += 1,
            Some(Ok(residue)) => verdicts.distinct.push((outage, residue)),
            Some(Err(violation)) => verdicts.violations.push((outage, violation)),
        }
        true
    });
    verdicts.states += verdicts.distinct.len() + verdicts.violations.len();
    verdicts.prefixes = prefixes(record).count();
    verdicts
}

/// The first state that is wrong, if there is one.
#[must_use]
pub fn first_violation(
    world: &World,
    record: &Record,
    journal: Journal,
    most: usize,
) -> Option<Violation> {
    let mut found = None;
    each_state(world, record, journal, most, |_, verdict| {
        found = verdict.and_then(Result::err);
        found.is_none()
    });
    found
}

/// After how many events the power may fail, so that it makes a difference.
fn prefixes(record: &Record) -> impl Iterator<Item = usize> + '_ {
    (0..=record.events.len()).filter(|prefix| {
        let last = prefix.checked_sub(1).map(|last| &record.events[last].deed);
        matches!(last, None | Some(Deed::Disk(_) | Deed::Exits(_)))
    })
}

/// Judges states, each once, as long as somebody wants to hear of them. What was judged before has
/// no verdict.
fn each_state(
    world: &World,
    record: &Record,
    journal: Journal,
    most: usize,
    mut tell: impl FnMut(Outage, Option<Result<Residue, Violation>>) -> bool,
) {
    let mut random = Random::of_this_run();
    let mut pending = Pending::nothing(journal, record.before.clone());
    let mut promised = Promised::nothing(&record.before);
    let mut seen = HashSet::new();
    for prefix in prefixes(record) {
        if let Some(last) = prefix.checked_sub(1) {
            let event = &record.events[last];
            promised.push(&world.mails, event);
            if let Deed::Disk(change) = &event.deed {
                pending.push(change);
            }
        }
        for disk in pending.disks(most, &mut random) {
            let claims = promised.claims.clone();
            let is_new = seen.insert((disk.fingerprint(), claims.clone()));
            let verdict = is_new.then(|| world.judge(&disk, &claims));
            if !tell(Outage { prefix, disk, claims }, verdict) {
                return;
            }
        }
    }
}

/// What was promised up to now.
struct Promised {
    claims: Claims,
    /// Which messages which qmail-queue has written.
    written: BTreeMap<i32, &'static str>,
    disk: Disk,
}

impl Promised {
    fn nothing(disk: &Disk) -> Self {
        Self { claims: Claims::default(), written: BTreeMap::new(), disk: disk.clone() }
    }

    fn push(&mut self, mails: &[Mail], event: &Event) {
        let (pid, name) = (event.process.pid, &*event.process.name);
        match &event.deed {
            Deed::Exits(0) if name == "qmail-queue" => {
                self.claims.acknowledged.extend(self.written.remove(&pid));
            }
            Deed::Disk(change) => {
                if let (Change::Write(_, _, bytes), "qmail-queue") = (change, name) {
                    let mail = mails.iter().find(|mail| bytes.ends_with(&mail.text));
                    self.written.extend(mail.map(|mail| (pid, mail.tag)));
                }
                if let (Change::Remove(name), "qmail-pop3d") = (change, name) {
                    self.delete(mails, name);
                }
                self.disk.apply(change);
            }
            _ => {}
        }
    }

    fn delete(&mut self, mails: &[Mail], name: &Name) {
        let mut names = self.disk.names(name.directory);
        let found = names.find(|(known, _)| *known == name.name);
        let text = found.map_or(&[][..], |(_, file)| self.disk.content(file));
        for mail in mails.iter().filter(|mail| text.ends_with(&mail.text)) {
            self.claims.deleted.insert(mail.tag);
        }
    }
}
