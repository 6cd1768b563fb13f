//! Two things at once: the power fails, and before that somebody was killed, or a sync had failed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::call::{FAULTS_OF_SYNC, FAULTS_OF_WRITING_OUT};
use super::event::Event;
use super::faults::{Calls, Fault, failing};
use super::kills::{Point, killing, points};
use super::random::Random;
use super::recorder::Policy;

/// What went wrong first.
#[derive(Clone, Debug)]
pub enum Misfortune {
    /// Somebody was killed.
    Kill(Point),
    /// A sync has failed: what it was about may never come to disk, though the next sync of the same
    /// file succeeds.
    FailedSync(Fault),
}

impl fmt::Display for Misfortune {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(point) => point.fmt(formatter),
            Self::FailedSync(fault) => fault.fmt(formatter),
        }
    }
}

/// All of them, but not of who reads mail.
#[must_use]
pub fn misfortunes(events: &[Event], calls: &Calls) -> (Vec<Misfortune>, Vec<Misfortune>) {
    let is_reader = |program: &str| program == "qmail-pop3d";
    let kills = points(events).into_iter().filter(|point| !is_reader(&point.program));
    let is_sync = |fault: &&Fault| match fault.errno {
        libc::EIO => [FAULTS_OF_SYNC.0, FAULTS_OF_WRITING_OUT.0].contains(&fault.call),
        // Nobody hears what became of them.
        libc::ENOSYS => fault.call == "io_getevents",
        _ => false,
    };
    let syncs = calls.faults.iter().filter(is_sync).filter(|fault| !is_reader(&fault.program));
    (kills.map(Misfortune::Kill).collect(), syncs.cloned().map(Misfortune::FailedSync).collect())
}

/// One of each program, by lot.
#[must_use]
pub fn one_of_each_program(all: Vec<Misfortune>, random: &mut Random) -> Vec<Misfortune> {
    let mut programs: BTreeMap<String, Vec<Misfortune>> = BTreeMap::new();
    for one in all {
        programs.entry(one.program().to_owned()).or_default().push(one);
    }
    programs.into_values().flat_map(|of_one| random.sample(of_one, 1)).collect()
}

impl Misfortune {
    /// Lets it happen, and says whether it has.
    #[must_use]
    pub fn policy(&self) -> (Policy, Arc<AtomicBool>) {
        match self {
            Self::Kill(point) => killing(point),
            Self::FailedSync(fault) => {
                let (policy, reached, _) = failing(fault);
                (policy, reached)
            }
        }
    }

    /// Whom it befalls.
    #[must_use]
    pub fn program(&self) -> &str {
        let (Self::Kill(Point { program, .. }) | Self::FailedSync(Fault { program, .. })) = self;
        program
    }

    /// Whether it befalls who queues mail: what he has not acknowledged may be delivered all the
    /// same, and names of it come back where names have no order.
    #[must_use]
    pub fn is_of_queueing(&self) -> bool {
        self.program() == "qmail-queue"
    }
}
