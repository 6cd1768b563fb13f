//! The loop: orders first, then a few messages, then sleep.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use qmail_core::queue::{Queue, TodoLock, Trigger};
use qmail_sys::{Interest, poll};
use qmail_wire::todo::{News, Order};

use crate::batch::{self, Disk};
use crate::cleaner::Cleaner;
use crate::lines::{self, cannot_reread, cannot_scan, name};
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
    scan: Option<Scan>,
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
            scan: None,
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
        let timeout = match self.scan {
            Some(_) => Duration::ZERO,
            None => self.next_scan.saturating_duration_since(Instant::now()),
        };
        let pulled = self.wait(Some(timeout))?;
        if self.scan.is_none() && (pulled || self.next_scan <= Instant::now()) {
            self.begin_scan();
        }
        self.go_on()?;
        self.reporter.flush().map_err(|_| End::Orphaned)
    }

    fn begin_scan(&mut self) {
        // Before the directories are opened: what comes later pulls the trigger again. Without a
        // trigger there is still the clock.
        self.trigger = match self.trigger.take() {
            Some(mut trigger) => trigger.reset().ok().map(|()| trigger),
            None => Trigger::open(&self.queue).ok(),
        };
        self.next_scan = Instant::now() + BETWEEN_SCANS;
        self.scan = Some(Scan::begin(&self.queue));
    }

    /// The next few messages of the scan.
    fn go_on(&mut self) -> Result<(), End> {
        let Some(scan) = &mut self.scan else { return Ok(()) };
        match scan.next(batch::SIZE) {
            Ok(ids) if ids.is_empty() => self.scan = None,
            Ok(ids) => batch::process(
                &self.queue,
                &self.settings.routes,
                &ids,
                &mut self.disk,
                &mut self.cleaner,
                &mut self.reporter,
            )
            .map_err(|_| End::CleanLost)?,
            Err(Unreadable(directory)) => {
                self.reporter.log(cannot_scan(&name(&self.queue, &directory)));
                self.next_scan = self.next_scan.min(Instant::now() + AFTER_TROUBLE);
            }
        }
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
