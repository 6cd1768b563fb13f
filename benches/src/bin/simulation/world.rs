//! The loop: what qmail-send's loop does, with a model where that has files and pipes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use qmail_core::queue::{Channel, QueueId};
use qmail_send::channels::PerChannel;
use qmail_send::schedule::{Exhausted, PassEnd, Scheduler, Settlement};
use qmail_wire::spawn::DeliveryNumber;

use crate::Scale;
use crate::chance::Chance;
use crate::destinations::{CONNECT_TIMEOUT, DAY, Destinations, HOUR, Millis, SECOND, Verdict};
use crate::history::{Attempt, History};
use crate::messages::{Message, Messages};
use crate::timeouts::Timeouts;

/// Seconds of the scheduler's clock at the beginning: it does not like to be near zero.
const EPOCH: u64 = 1_800_000_000;

/// `queuelifetime`.
const LIFETIME: u64 = 604_800;

/// What a delivery takes that does not try, because the server did not answer others.
const NOT_TRIED: Millis = 5;

/// Only mail for elsewhere is of interest.
const CHANNEL: Channel = Channel::Remote;

/// Everything.
#[derive(Debug)]
pub(crate) struct World {
    scale: Scale,
    chance: Chance,
    destinations: Destinations,
    timeouts: Timeouts,
    messages: Messages,
    scheduler: Scheduler<()>,
    /// Deliveries under way, by when they end.
    ending: BinaryHeap<Reverse<(Millis, DeliveryNumber, Verdict, Millis)>>,
    /// Whether the recipient of the pass has been started.
    is_read: bool,
    next_arrival: Option<Millis>,
    arrivals_left: u64,
    history: History,
}

impl World {
    pub(crate) fn new(scale: Scale) -> Self {
        let mut chance = Chance::new(20_261_121);
        let destinations = Destinations::new(scale, &mut chance);
        let concurrency = PerChannel::new(|_| scale.places);
        Self {
            scale,
            chance,
            destinations,
            timeouts: Timeouts::default(),
            messages: Messages::default(),
            scheduler: Scheduler::new(LIFETIME, concurrency),
            ending: BinaryHeap::new(),
            is_read: false,
            next_arrival: (scale.messages > 0).then_some(0),
            arrivals_left: scale.messages,
            history: History::default(),
        }
    }

    /// Until all mail has come and gone.
    pub(crate) fn run(mut self) -> History {
        let mut now: Millis = 0;
        loop {
            self.arrive(now);
            self.end_deliveries(now);
            self.start_deliveries(now);
            let used = self.scheduler.load().of(CHANNEL).used;
            self.history.observe(now, self.messages.count(), used);
            let arrival = self.next_arrival;
            let end = self.ending.peek().map(|Reverse((time, ..))| *time);
            // Asked only while it could be opened: else a delivery has to end first.
            let due = self.scheduler.next_message_due().map(millis);
            match arrival.into_iter().chain(end).chain(due).min() {
                Some(next) => now = now.max(next),
                None => return self.history,
            }
        }
    }

    /// More by day than by night.
    #[expect(clippy::cast_precision_loss, reason = "a week has fewer milliseconds")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is short")]
    fn arrive(&mut self, now: Millis) {
        while let Some(time) = self.next_arrival.filter(|time| *time <= now) {
            let destination = self.destinations.choose(&mut self.chance);
            let birth = seconds(time);
            let message =
                Message { birth, due: birth, destination, attempts: 0, is_delivered: false };
            let number = self.messages.add(message);
            self.scheduler.add(CHANNEL, QueueId::new(number), EPOCH + u64::from(birth));
            self.history.arrived(time);
            self.arrivals_left -= 1;
            let hour = (time % DAY) as f64 / HOUR as f64;
            let busy = 1.0 + 0.8 * ((hour - 14.0) / 24.0 * std::f64::consts::TAU).cos();
            let mean = (self.scale.days * DAY) as f64 / self.scale.messages as f64 / busy;
            let wait = self.chance.wait(mean).round() as Millis;
            self.next_arrival = (self.arrivals_left > 0).then_some(time + wait);
        }
    }

    /// As many as there is room for.
    fn start_deliveries(&mut self, now: Millis) {
        let clock = EPOCH + now / SECOND;
        loop {
            if self.scheduler.pass(CHANNEL).is_none() {
                let Some(id) = self.scheduler.take_message(CHANNEL, clock) else { return };
                let Some(message) = self.messages.get(id.as_u64()) else { return };
                let birth = EPOCH + u64::from(message.birth);
                self.scheduler.open(CHANNEL, id, birth, clock, ());
                self.is_read = false;
            }
            if !self.scheduler.wants_recipient(CHANNEL) {
                return;
            }
            if self.is_read {
                let exhausted = self.scheduler.end_pass(CHANNEL, PassEnd::Complete);
                self.finish(exhausted, now);
            } else {
                self.start_delivery(now);
            }
        }
    }

    fn start_delivery(&mut self, now: Millis) {
        self.is_read = true;
        let Some((id, ())) = self.scheduler.pass(CHANNEL) else { return };
        let Some(started) = self.scheduler.start(CHANNEL, 0, Vec::new()) else { return };
        let Some(message) = self.messages.get(id.as_u64()) else { return };
        let attempt = Attempt {
            late: u64::from(seconds(now).saturating_sub(message.due)),
            is_first: message.attempts == 0,
            to_the_dead: self.destinations.is_down(message.destination, now),
        };
        self.history.attempted(now, attempt);
        let (to, before) = (message.destination, message.attempts);
        let (duration, verdict) = if self.timeouts.holds(to, now, started.number) {
            (NOT_TRIED, Verdict::Deferred)
        } else {
            self.destinations.attempt(to, before, now, &mut self.chance)
        };
        message.attempts += 1;
        let age = u64::from(seconds(now).saturating_sub(message.birth));
        // send.md and qmail-send(8): the next square, in steps of twenty.
        let root = age.isqrt() + 20;
        message.due = message.birth.saturating_add(u32::try_from(root * root).unwrap_or(u32::MAX));
        self.ending.push(Reverse((now + duration, started.slot, verdict, duration)));
    }

    fn end_deliveries(&mut self, now: Millis) {
        while let Some(Reverse((time, slot, verdict, duration))) = self.ending.peek().copied() {
            if time > now {
                return;
            }
            self.ending.pop();
            let Some(delivery) = self.scheduler.delivery(CHANNEL, slot) else { continue };
            let (id, last) = (delivery.message, delivery.last);
            self.remember(id.as_u64(), now, duration);
            if let Some(message) = self.messages.get(id.as_u64()) {
                message.is_delivered = verdict == Verdict::Delivered;
            }
            let is_final = verdict != Verdict::Deferred || last;
            let settlement = if is_final { Settlement::Final } else { Settlement::TryAgain };
            let exhausted = self.scheduler.settle(CHANNEL, slot, settlement);
            self.finish(exhausted, now);
        }
    }

    /// Nobody is left to deliver to.
    fn finish(&mut self, exhausted: Option<Exhausted>, now: Millis) {
        let Some(number) = exhausted.map(|exhausted| exhausted.id.as_u64()) else { return };
        let Some(message) = self.messages.get(number).copied() else { return };
        self.history.ended(now, message.is_delivered, message.attempts);
        self.messages.remove(number);
    }

    /// What the delivery learnt about the server.
    fn remember(&mut self, number: u64, now: Millis, duration: Millis) {
        let Some(destination) = self.messages.get(number).map(|it| it.destination) else { return };
        match duration {
            CONNECT_TIMEOUT => self.timeouts.add(destination, now),
            NOT_TRIED => {}
            _ => self.timeouts.clear(destination),
        }
    }
}

fn millis(time: u64) -> Millis {
    time.saturating_sub(EPOCH).saturating_mul(SECOND)
}

fn seconds(time: Millis) -> u32 {
    u32::try_from(time / SECOND).unwrap_or(u32::MAX)
}
