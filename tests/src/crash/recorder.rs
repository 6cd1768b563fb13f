//! Writing down what processes do, and deciding what they may do.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use libc::c_long;
use nix::unistd::Pid;

use super::accident::Accident;
use super::disk::Disk;
use super::event::{Deed, Event, Process};
use super::flight::Flights;
use super::tracer;
use super::watch::Watch;
use crate::process::background;
use crate::wait;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Go,
    /// Its process is killed before it has any effect.
    Kill,
    /// It fails with this error and has no effect.
    Fail(i32),
    /// It succeeds, with 0, and has no effect.
    Pretend,
    /// The sync with this number, of those that it asks for, is to end with this error.
    FailSync(usize, i32),
}

/// A call that is about to happen.
#[derive(Debug)]
pub struct Moment<'a> {
    /// Whose it is.
    pub process: &'a Process,
    /// Its number.
    pub number: c_long,
    /// What it will do that is worth writing down, if anything.
    pub deed: Option<&'a Deed>,
    /// How many syncs it asks for, without waiting for them.
    pub syncs: usize,
    /// Whether the dynamic loader does it, before the program begins.
    pub is_of_loader: bool,
}

/// Decides about calls.
pub type Policy = Box<dyn FnMut(&Moment<'_>) -> Verdict + Send>;

/// Watches a part of the file system and everybody who changes it.
#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

pub(crate) struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
}

pub(crate) struct Inner {
    pub(crate) watch: Watch,
    pub(crate) events: Vec<Event>,
    pub(crate) accidents: Vec<Accident>,
    /// Calls that change the disk in a way that we do not understand.
    pub(crate) surprises: Vec<String>,
    pub(crate) policy: Policy,
    pub(crate) flights: Flights,
    running: usize,
}

/// All that was recorded.
#[derive(Clone)]
pub struct Record {
    /// The disk before.
    pub before: Disk,
    /// What happened.
    pub events: Vec<Event>,
    /// What the files are.
    pub watch: Watch,
}

impl Recorder {
    /// Watches what is below these directories; `policy` decides about every call.
    #[must_use]
    pub fn watching(roots: &[PathBuf], policy: Policy) -> (Self, Disk) {
        let (watch, disk) = Watch::of(roots);
        let inner = Inner {
            watch,
            events: Vec::new(),
            accidents: Vec::new(),
            surprises: Vec::new(),
            policy,
            flights: Flights::default(),
            running: 0,
        };
        let shared = Shared { inner: Mutex::new(inner), changed: Condvar::new() };
        (Self(Arc::new(shared)), disk)
    }

    /// Watches nothing on disk; `policy` decides about every call.
    #[must_use]
    pub fn deciding(policy: Policy) -> Self {
        Self::watching(&[], policy).0
    }

    /// Follows a stopped process and all that it starts, and lets it go on.
    pub fn follow(&self, root: Pid) {
        self.lock().running += 1;
        let shared = Arc::clone(&self.0);
        background(move || {
            tracer::run(&shared, root);
            shared.lock().running -= 1;
            shared.changed.notify_all();
        });
    }

    /// What has happened up to now.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.lock().events.clone()
    }

    /// Who has crashed up to now, and where.
    #[must_use]
    pub fn accidents(&self) -> Vec<Accident> {
        self.lock().accidents.clone()
    }

    /// Forgets what has happened up to now.
    pub fn forget(&self) {
        self.lock().events.clear();
    }

    /// Waits until everybody has ended.
    ///
    /// # Panics
    /// If somebody does not, or if somebody did what we do not understand.
    pub fn wait(&self) {
        let start = Instant::now();
        let mut inner = self.lock();
        while inner.running > 0 {
            let rest = wait::LIMIT.saturating_sub(start.elapsed());
            assert!(!rest.is_zero(), "somebody who is traced does not end");
            let woken = self.0.changed.wait_timeout(inner, rest);
            inner = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        assert!(inner.surprises.is_empty(), "calls that the model lacks: {:?}", inner.surprises);
    }

    /// Waits until everybody has ended; all of it.
    #[must_use]
    pub fn finish(self, before: Disk) -> Record {
        self.wait();
        let inner = self.lock();
        Record { before, events: inner.events.clone(), watch: inner.watch.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock()
    }
}

impl Drop for Recorder {
    /// A test that fails says who has crashed: that may be why.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.accidents().iter().for_each(|accident| println!("crashed: {accident}"));
        }
    }
}

impl Shared {
    /// Whoever has this is the only one who may change the disk.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    pub(crate) fn note(&mut self, process: &Process, deed: Deed) {
        self.events.push(Event { process: process.clone(), deed });
    }
}
