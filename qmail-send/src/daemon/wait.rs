//! Waiting until something happens or is due.

use std::os::fd::AsFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use qmail_core::queue::Channel;
use qmail_sys::{Interest, poll};

use super::{Daemon, now};
use crate::cleaner::Cleaner;
use crate::lines::{self, Trouble, warning};
use crate::schedule::Time;
use crate::spawner::Spawner;
use crate::survey::Survey;

/// The longest wait: whoever sets the clock is noticed after it.
const LONGEST: Duration = Duration::from_secs(86_400);

/// Something that a descriptor has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Signal,
    /// A spawner reports.
    Reports(Channel),
    /// A spawner has room for the rest of a command.
    Room(Channel),
    /// qmail-clean replies.
    Replies,
    /// qmail-todo has news.
    News,
}

impl Daemon {
    /// Waits until something happens, but no longer than until something is due.
    pub(super) fn wait(&self) -> Vec<Event> {
        self.log.flush();
        let now = now();
        let (mut interests, events) = self.watched(now);
        let mut happened: Vec<Event> = match poll(&mut interests, Some(self.time_left(now))) {
            Ok(true) => {
                let ready = interests.iter().zip(events);
                ready.filter(|(interest, _)| interest.is_ready()).map(|(_, event)| event).collect()
            }
            Ok(false) => Vec::new(),
            Err(_) => {
                self.say(lines::POLL);
                Vec::new()
            }
        };
        // What does not wake us is read when we are awake.
        if self.cleaner.as_ref().is_some_and(|cleaner| !cleaner.is_idle())
            && !happened.contains(&Event::Replies)
        {
            happened.push(Event::Replies);
        }
        happened
    }

    /// Replies of qmail-clean wake us only where something waits for them.
    fn replies<'c>(&self, cleaner: &'c Cleaner, now: Time) -> Interest<'c> {
        // One that nobody asked for must not be taken for that to the next request.
        let is_waited_for = cleaner.due().is_none_or(|due| due <= now)
            || self.sweep.due() <= now
            || self.scheduler.is_stopping();
        if is_waited_for {
            Interest::reading(cleaner.replies())
        } else {
            Interest::hanging_up(cleaner.replies())
        }
    }

    fn watched(&self, now: Time) -> (Vec<Interest<'_>>, Vec<Event>) {
        let mut all = vec![(Interest::reading(self.signals.as_fd()), Event::Signal)];
        for channel in Channel::ALL {
            let Some(spawner) = self.spawners.of(channel) else { continue };
            all.push((Interest::reading(spawner.reports()), Event::Reports(channel)));
            if spawner.is_full() {
                all.push((Interest::writing(spawner.commands()), Event::Room(channel)));
            }
        }
        all.extend(self.cleaner.iter().map(|cleaner| (self.replies(cleaner, now), Event::Replies)));
        all.extend(self.todo.iter().map(|t| (Interest::reading(t.news()), Event::News)));
        all.into_iter().unzip()
    }

    fn time_left(&self, now: Time) -> Duration {
        match self.next_due(now) {
            None => LONGEST,
            Some(due) => {
                let due = UNIX_EPOCH.checked_add(Duration::from_secs(due));
                let left = due.map(|due| due.duration_since(SystemTime::now()));
                left.map_or(LONGEST, Result::unwrap_or_default).min(LONGEST)
            }
        }
    }

    /// When something is to be done even if nothing happens.
    fn next_due(&self, now: Time) -> Option<Time> {
        if Channel::ALL.into_iter().any(|channel| self.has_delivery(channel)) {
            return Some(0);
        }
        let finished = self.scheduler.next_finished_due();
        let finished = finished.filter(|_| self.cleaner.as_ref().is_some_and(Cleaner::is_ready));
        let idle = self.cleaner.as_ref().is_some_and(Cleaner::is_idle);
        let sweep = (idle && !self.scheduler.is_stopping()).then(|| self.sweep.due());
        // Afterwards they wake us themselves.
        let replies = self.cleaner.as_ref().and_then(Cleaner::due).filter(|due| *due > now);
        let others = [
            replies,
            self.scheduler.next_message_due(),
            self.scheduler.next_doubtful_due(),
            self.unwritten.due(),
            self.survey.as_ref().map(Survey::due),
        ];
        others.into_iter().chain([finished, sweep]).flatten().min()
    }

    /// Whether a recipient file is to be read on at once.
    pub(super) fn has_delivery(&self, channel: Channel) -> bool {
        let ready = self.spawners.of(channel).as_ref().is_some_and(Spawner::is_ready);
        ready && self.scheduler.wants_recipient(channel)
    }

    pub(super) fn handle(&mut self, event: Event) {
        match event {
            Event::Signal => {
                while let Ok(Some(signal)) = self.signals.take() {
                    self.obey(signal);
                }
            }
            Event::Reports(channel) => self.read_reports(channel, now()),
            Event::Room(channel) => {
                let spawner = self.spawners.of_mut(channel).as_mut();
                if spawner.is_some_and(|spawner| spawner.flush().is_err()) {
                    self.lose_spawner(channel);
                }
            }
            Event::Replies => self.read_replies(),
            Event::News => self.read_news(now()),
        }
    }

    fn read_replies(&mut self) {
        match self.cleaner.as_mut().map(Cleaner::receive) {
            None => {}
            Some(Err(_)) => self.lose_cleaner(),
            Some(Ok(failed)) => {
                for id in failed {
                    self.log.write(&warning(Trouble::Clean, &format!("foop/{id}")));
                }
            }
        }
    }
}
