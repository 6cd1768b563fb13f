//! The loop, and everything it touches. What is to be done is decided elsewhere.

mod deliveries;
mod elimination;
mod enlist;
mod farewell;
mod inject;
mod news;
mod results;
mod wait;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use qmail_core::log::Log;
use qmail_core::queue::{Channel, Queue};
use qmail_sys::signal::{Signal, Signals};
use qmail_wire::spawn::Limit;
use qmail_wire::todo::Order;

use crate::channels::PerChannel;
use crate::cleaner::Cleaner;
use crate::files::{OpenMessage, Recipients};
use crate::half_done::HalfDone;
use crate::lines::{self, Trouble};
use crate::room;
use crate::schedule::{Scheduler, Time};
use crate::settings::Settings;
use crate::spawner::Spawner;
use crate::survey::{Survey, Surveyed};
use crate::sweep::{Found, Sweep};
use crate::todo::Todo;

pub(crate) use enlist::enlist;

/// Messages from before the start that are scheduled in a row; then the others have their turn.
const AT_ONCE: usize = 256;

/// Everything that qmail-send has. What is gone for good is `None`.
#[derive(Debug)]
pub(crate) struct Daemon {
    log: Log,
    home: PathBuf,
    queue: Queue,
    settings: Settings,
    signals: Signals,
    /// Locked as long as we live.
    _mutex: File,
    scheduler: Scheduler<OpenMessage>,
    half_done: HalfDone,
    /// Until all that was there before is known.
    survey: Option<Survey>,
    spawners: PerChannel<Option<Spawner>>,
    limits: PerChannel<Limit>,
    passes: PerChannel<Option<Recipients>>,
    cleaner: Option<Cleaner>,
    todo: Option<Todo>,
    sweep: Sweep,
    unwritten: results::Unwritten,
}

impl Daemon {
    #[expect(clippy::too_many_arguments, reason = "each is a part, and none has a default")]
    pub(crate) fn new(
        log: Log,
        home: PathBuf,
        queue: Queue,
        settings: Settings,
        signals: Signals,
        mutex: File,
        mut scheduler: Scheduler<OpenMessage>,
        spawners: PerChannel<Option<Spawner>>,
        limits: PerChannel<Limit>,
        cleaner: Option<Cleaner>,
        todo: Option<Todo>,
    ) -> Self {
        for channel in Channel::ALL {
            if spawners.of(channel).is_none() {
                scheduler.lose(channel);
            }
        }
        let survey = Survey::new(&queue);
        Self {
            log,
            home,
            queue,
            settings,
            signals,
            _mutex: mutex,
            scheduler,
            half_done: HalfDone::default(),
            survey: Some(survey),
            spawners,
            limits,
            passes: PerChannel::default(),
            cleaner,
            todo,
            sweep: Sweep::new(now()),
            unwritten: results::Unwritten::default(),
        }
    }

    /// Works until it is told to stop, or one of the others is gone.
    pub(crate) fn run(mut self) {
        if self.cleaner.is_none() {
            self.lose_cleaner();
        }
        if self.todo.is_none() {
            self.lose_todo();
        }
        while !self.may_end() {
            for event in self.wait() {
                self.handle(event);
            }
            self.work(now());
        }
        self.farewell();
    }

    /// What is due, each kind a little, so that none waits for another.
    fn work(&mut self, now: Time) {
        self.write_again(now);
        self.survey(now);
        for channel in Channel::ALL {
            self.deliver(channel, now);
        }
        self.dispatch();
        if let Some(id) = self.scheduler.take_doubtful(now) {
            let Self { scheduler, half_done, queue, log, .. } = self;
            enlist(scheduler, half_done, queue, log, id);
        }
        self.eliminate(now);
        self.sweep(now);
        if let Some(todo) = self.todo.as_mut().filter(|_| self.scheduler.is_stopping()) {
            todo.order(Order::Stop);
        }
    }

    /// Schedules some of what was preprocessed before. After all of it, qmail-todo may begin.
    fn survey(&mut self, now: Time) {
        if self.scheduler.is_stopping() {
            self.survey = None;
        }
        match self.survey.as_mut().map(|survey| survey.step(&self.queue, AT_ONCE, now)) {
            None | Some(Surveyed::Nothing) => {}
            Some(Surveyed::Messages(ids)) => {
                let Self { scheduler, half_done, queue, log, .. } = self;
                ids.into_iter().for_each(|id| enlist(scheduler, half_done, queue, log, id));
            }
            Some(Surveyed::Unreadable(directory)) => self.warn_of_unreadable(&directory),
            Some(Surveyed::Complete) => {
                if self.survey.as_ref().is_some_and(Survey::is_hurried) {
                    self.scheduler.hurry(now);
                }
                // With it goes the lock.
                self.survey = None;
                if let Some(todo) = &mut self.todo {
                    todo.order(Order::Start);
                }
            }
        }
    }

    /// Whether we are to stop, and nobody has anything to tell us any more.
    fn may_end(&self) -> bool {
        let cleaned = self.cleaner.as_ref().is_none_or(Cleaner::is_idle);
        let reported = self.scheduler.awaited() <= self.unwritten.awaited(&self.spawners);
        self.scheduler.is_stopping() && self.todo.is_none() && cleaned && reported
    }

    fn obey(&mut self, signal: Signal) {
        match signal {
            Signal::SIGTERM if self.scheduler.is_stopping() => {}
            Signal::SIGTERM => {
                self.scheduler.stop();
                // Where nothing is waited for, the end comes at once.
                if self.scheduler.awaited() > 0 {
                    self.log_status();
                }
            }
            Signal::SIGALRM => {
                self.scheduler.hurry(now());
                if let Some(survey) = &mut self.survey {
                    survey.hurry();
                }
            }
            Signal::SIGHUP => self.reread(),
            _ => {}
        }
    }

    fn reread(&mut self) {
        if let Some(todo) = &mut self.todo {
            todo.order(Order::Reread);
        }
        if let Err(line) = self.settings.reread(&self.home) {
            self.say(line);
        }
        let before = self.scheduler.load();
        match self.settings.reread_concurrency() {
            Ok(()) => {
                let concurrency = self.settings.concurrency(&self.limits);
                self.scheduler.set_concurrency(&concurrency);
                self.scheduler.limit_messages(room::for_messages(&concurrency));
            }
            Err(line) => self.say(line),
        }
        if self.scheduler.load() != before {
            self.log_status();
        }
    }

    /// One step of the search for litter. A message that qmail-clean is still removing looks like
    /// litter, so it has to be idle.
    fn sweep(&mut self, now: Time) {
        let Some(cleaner) = self.cleaner.as_mut().filter(|cleaner| cleaner.is_idle()) else {
            return;
        };
        if self.scheduler.is_stopping() {
            return;
        }
        match self.sweep.step(&self.queue, now) {
            Found::Nothing => {}
            Found::Ossified(id) => {
                if cleaner.remove(id, now).is_err() {
                    self.lose_cleaner();
                }
            }
            Found::Unreadable(directory) => self.warn_of_unreadable(&directory),
        }
    }

    fn lose_spawner(&mut self, channel: Channel) {
        self.say(lines::LOST_SPAWNER);
        *self.spawners.of_mut(channel) = None;
        self.scheduler.lose(channel);
    }

    /// What it was asked for and has not done is litter, and goes as such. To make it a finished
    /// message again would be to begin a life anew of which old names may come back when the power
    /// fails.
    fn lose_cleaner(&mut self) {
        self.say(lines::LOST_CLEAN);
        self.cleaner = None;
        self.scheduler.stop();
    }

    fn lose_todo(&mut self) {
        self.say(lines::LOST_TODO);
        self.todo = None;
        self.scheduler.stop();
    }

    fn say(&self, text: &str) {
        self.log.write(&lines::text(text));
    }

    fn warn(&self, trouble: Trouble, path: &Path) {
        self.log.write(&lines::warning(trouble, &self.queue.name_of(path)));
    }

    fn warn_of_unreadable(&self, directory: &Path) {
        self.log.write(&lines::cannot_scan(&self.queue.name_of(directory)));
    }

    fn log_status(&self) {
        self.log.write(&lines::status(&self.scheduler.load(), self.scheduler.is_stopping()));
    }
}

/// The clock; before 1970 is 1970.
fn now() -> Time {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
