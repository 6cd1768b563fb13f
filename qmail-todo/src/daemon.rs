//! The loop: orders first, then a few messages, then sleep.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use qmail_core::queue::{Queue, QueueId, TodoLock, Trigger};
use qmail_sys::{Interest, poll};
use qmail_wire::todo::{News, Order};

use crate::arrivals::Arrivals;
use crate::batch::{self, Disk};
use crate::cleaner::Cleaner;
use crate::lines::{self, cannot_reread, cannot_scan};
use crate::pass::{Found, Pass};
use crate::reporter::Reporter;
use crate::scan::{Scan, Unreadable};
use crate::settings::Settings;

/// `todo/` is read so long after the last time, even if nobody pulls the trigger.
const BETWEEN_SCANS: Duration = Duration::from_secs(1500);
/// A directory that could not be read is tried again after this.
const AFTER_TROUBLE: Duration = Duration::from_secs(10);
/// Another qmail-todo is on its way out: it is asked so often whether it has gone.
const BETWEEN_LOCKS: Duration = Duration::from_millis(200);

/// Everything that qmail-todo has.
#[derive(Debug)]
pub(crate) struct Daemon {
    home: PathBuf,
    queue: Queue,
    settings: Settings,
    orders: File,
    reporter: Reporter,
    cleaner: Cleaner,
    disk: Disk,
    trigger: Option<Trigger>,
    arrivals: Arrivals,
    pass: Option<Pass>,
    /// Something could not be done: it is found again by a scan only.
    is_left: bool,
    next_scan: Instant,
}

/// Why the loop ends.
#[derive(Debug)]
enum End {
    /// qmail-send said so.
    Told,
    /// qmail-send is gone.
    Orphaned,
    /// qmail-clean is gone.
    CleanLost,
}

/// What qmail-send may be heard to say while we wait for something else.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Nothing,
    Start,
}

impl Daemon {
    pub(crate) fn new(
        home: PathBuf,
        queue: Queue,
        settings: Settings,
        orders: OwnedFd,
        reporter: Reporter,
        cleaner: Cleaner,
    ) -> Self {
        let disk = Disk::of(&queue);
        Self {
            home,
            queue,
            disk,
            settings,
            orders: File::from(orders),
            reporter,
            cleaner,
            trigger: None,
            arrivals: Arrivals::default(),
            pass: None,
            is_left: false,
            next_scan: Instant::now(),
        }
    }

    /// Works until qmail-send says stop, or there is nobody to work for.
    pub(crate) fn run(mut self) {
        let Err(end) = self.work();
        match end {
            End::Told => {
                self.reporter.log_text(lines::STOPPING);
                self.reporter.tell(&News::Stopped);
            }
            End::CleanLost => self.reporter.log_text(lines::LOST_CLEAN),
            End::Orphaned => {}
        }
        // If nobody hears it, nobody has to know.
        let _ = self.reporter.flush();
    }

    fn work(&mut self) -> Result<std::convert::Infallible, End> {
        while self.listen(None)? != Heard::Start {}
        let _lock = self.lock()?;
        loop {
            self.turn()?;
        }
    }

    /// Waits until no other qmail-todo works in this queue.
    fn lock(&mut self) -> Result<TodoLock, End> {
        loop {
            // An error is as good as a lock that somebody else has: both may pass.
            if let Ok(Some(lock)) = TodoLock::try_take(&self.queue) {
                return Ok(lock);
            }
            self.listen(Some(BETWEEN_LOCKS))?;
        }
    }

    fn turn(&mut self) -> Result<(), End> {
        let timeout = match self.pass {
            Some(_) => Duration::ZERO,
            None => self.next_scan.saturating_duration_since(Instant::now()),
        };
        let pulled = self.wait(Some(timeout))?;
        if self.pass.is_none() {
            if self.next_scan <= Instant::now() {
                self.begin_scan();
            } else if pulled {
                self.begin_pass();
            }
        }
        self.go_on()?;
        self.reporter.flush().map_err(|_| End::Orphaned)
    }

    /// The trigger was pulled: what has come since the last time, or everything.
    fn begin_pass(&mut self) {
        // Before anything is looked for: what comes later pulls the trigger again.
        let pulls = self.trigger.as_mut().map_or(Ok(0), Trigger::take_pulls);
        let told = pulls.map(|pulls| self.arrivals.take(pulls));
        match told {
            Ok(Some(ids)) if !self.is_left => self.pass = Some(Pass::Told(ids.into_iter())),
            Ok(_) if !self.arrivals.are_unknown() => self.pass = Some(self.scan()),
            Ok(_) | Err(_) => self.begin_scan(),
        }
    }

    /// Everything is looked at, whatever has happened to the trigger and the directories since the last
    /// time: others may have their names now.
    fn begin_scan(&mut self) {
        // Without a trigger there is still the clock. What the old one has not told, the new one does,
        // if it is the same: nobody hears less of it because this one is opened first.
        let trigger = Trigger::open(&self.queue).and_then(|mut trigger| {
            trigger.take_pulls()?;
            Ok(trigger)
        });
        self.trigger = trigger.ok();
        self.arrivals = Arrivals::watch(&self.queue);
        self.next_scan = Instant::now() + BETWEEN_SCANS;
        self.pass = Some(self.scan());
    }

    fn scan(&mut self) -> Pass {
        self.is_left = false;
        Pass::Scan(Scan::begin(&self.queue))
    }

    /// The next few messages of the pass.
    fn go_on(&mut self) -> Result<(), End> {
        let Some(pass) = &mut self.pass else { return Ok(()) };
        let found = pass.found();
        let next = pass.next(batch::SIZE);
        if pass.is_over() {
            self.pass = None;
        }
        match next {
            Ok(ids) => self.process(&ids, found),
            Err(Unreadable(directory)) => {
                self.reporter.log(cannot_scan(&self.queue.name_of(&directory)));
                self.is_left = true;
                self.next_scan = self.next_scan.min(Instant::now() + AFTER_TROUBLE);
                Ok(())
            }
        }
    }

    fn process(&mut self, ids: &[QueueId], found: Found) -> Result<(), End> {
        let Self { queue, settings, disk, cleaner, reporter, .. } = self;
        let all = batch::process(queue, &settings.routes, ids, found, disk, cleaner, reporter);
        self.is_left |= !all.map_err(|_| End::CleanLost)?;
        Ok(())
    }

    /// Waits for orders, which it obeys, and for the trigger; whether that was pulled.
    fn wait(&mut self, timeout: Option<Duration>) -> Result<bool, End> {
        let (orders, replies) = (self.orders.as_fd(), self.cleaner.replies());
        let mut interests = vec![Interest::reading(orders), Interest::reading(replies)];
        interests.extend(self.trigger.iter().map(|trigger| Interest::reading(trigger.as_fd())));
        let polled = poll(&mut interests, timeout);
        let mut ready = interests.iter().map(Interest::is_ready);
        let mut next = || ready.next().unwrap_or(false);
        let (ordered, clean_lost, pulled) = (next(), next(), next());
        match polled {
            Ok(true) => {
                if ordered {
                    self.obey()?;
                }
                if clean_lost { Err(End::CleanLost) } else { Ok(pulled) }
            }
            Ok(false) => Ok(false),
            Err(_) => {
                self.reporter.log_text(lines::POLL);
                Ok(false)
            }
        }
    }

    /// Waits for orders only, at most so long.
    fn listen(&mut self, timeout: Option<Duration>) -> Result<Heard, End> {
        match poll(&mut [Interest::reading(self.orders.as_fd())], timeout) {
            Ok(true) => self.obey(),
            Ok(false) | Err(_) => Ok(Heard::Nothing),
        }
    }

    /// Reads what qmail-send says, and does it.
    fn obey(&mut self) -> Result<Heard, End> {
        let mut bytes = [0; 64];
        let length = match self.orders.read(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Heard::Nothing),
            // The end of qmail-send, however it came: its successor will start another of us.
            Ok(0) | Err(_) => return Err(End::Orphaned),
            Ok(length) => length,
        };
        let mut heard = Heard::Nothing;
        for byte in bytes.iter().take(length) {
            match Order::parse(*byte) {
                Some(Order::Start) => heard = Heard::Start,
                Some(Order::Reread) => self.reread(),
                Some(Order::Stop) => return Err(End::Told),
                None => self.reporter.log_text(lines::OBSCURE),
            }
        }
        Ok(heard)
    }

    fn reread(&mut self) {
        if let Err(error) = self.settings.reread(&self.home) {
            self.reporter.log(cannot_reread(error));
        }
    }
}
