//! Whole lives of many messages, by a clock that does not tick by itself.

use std::collections::HashMap;

use super::*;

const BEGIN: Time = 1_800_000_000;
const LIFETIME: u64 = 604_800;

/// A recipient of the simulated world: how many attempts it takes until he has his mail.
struct Recipient {
    attempts_needed: u32,
    done: bool,
}

/// A recipient file of the simulated world.
struct File {
    birth: Time,
    recipients: Vec<Recipient>,
    attempts: Vec<Time>,
}

/// What becomes of every message when each delivery takes `duration` seconds.
struct World {
    scheduler: Scheduler<()>,
    files: HashMap<(Channel, u64), File>,
    read: PerChannel<usize>,
    /// Deliveries under way, by the time at which they end.
    ending: std::collections::BTreeSet<(Time, Channel, DeliveryNumber)>,
    duration: u64,
    deliveries: u64,
    failures: u64,
}

impl World {
    fn new(concurrency: DeliveryNumber, duration: u64) -> Self {
        Self {
            scheduler: Scheduler::new(LIFETIME, PerChannel::new(|_| concurrency)),
            files: HashMap::new(),
            read: PerChannel::default(),
            ending: std::collections::BTreeSet::new(),
            duration,
            deliveries: 0,
            failures: 0,
        }
    }

    fn put(&mut self, channel: Channel, number: u64, birth: Time, attempts_needed: &[u32]) {
        let recipient = |needed: &u32| Recipient { attempts_needed: *needed, done: false };
        let recipients = attempts_needed.iter().map(recipient).collect();
        self.files.insert((channel, number), File { birth, recipients, attempts: Vec::new() });
        self.scheduler.add(channel, QueueId::new(number), birth);
    }

    /// Runs until nothing is left to do; when that was.
    fn run(&mut self) -> Time {
        let mut now = BEGIN;
        loop {
            for channel in Channel::ALL {
                self.deliver(channel, now);
            }
            self.report(now);
            let blocked = Channel::ALL.iter().all(|channel| !self.can_go_on(*channel, now));
            if !blocked {
                continue;
            }
            let report = self.ending.first().map(|(time, _, _)| *time);
            let message = self.scheduler.next_message_due();
            match report.into_iter().chain(message).min() {
                Some(next) => now = now.max(next),
                None => return now,
            }
        }
    }

    fn can_go_on(&self, channel: Channel, now: Time) -> bool {
        self.scheduler.wants_recipient(channel)
            || self.scheduler.next_message_due().is_some_and(|due| due <= now)
    }

    fn deliver(&mut self, channel: Channel, now: Time) {
        if let Some(id) = self.scheduler.take_message(channel, now) {
            let file = self.files.get_mut(&(channel, id.as_u64())).unwrap();
            file.attempts.push(now);
            self.scheduler.open(channel, id, file.birth, now, ());
            *self.read.of_mut(channel) = 0;
        }
        while self.scheduler.wants_recipient(channel) {
            let (id, ()) = self.scheduler.pass(channel).unwrap();
            let at = *self.read.of(channel);
            match self.files[&(channel, id.as_u64())].recipients.get(at) {
                None => {
                    let end = self.scheduler.end_pass(channel, PassEnd::Complete);
                    self.remove(end);
                }
                Some(recipient) if recipient.done => *self.read.of_mut(channel) += 1,
                Some(_) => {
                    let started = self.scheduler.start(channel, at as u64, Vec::new()).unwrap();
                    self.ending.insert((now + self.duration, channel, started.slot));
                    *self.read.of_mut(channel) += 1;
                }
            }
        }
    }

    fn report(&mut self, now: Time) {
        while let Some((time, channel, slot)) = self.ending.first().copied() {
            if time > now {
                return;
            }
            self.ending.pop_first();
            let delivery = self.scheduler.delivery(channel, slot).unwrap();
            let file = self.files.get_mut(&(channel, delivery.message.as_u64())).unwrap();
            let recipient = &mut file.recipients[usize::try_from(delivery.offset).unwrap()];
            recipient.attempts_needed = recipient.attempts_needed.saturating_sub(1);
            let delivered = recipient.attempts_needed == 0;
            recipient.done = delivered || delivery.last;
            self.deliveries += u64::from(delivered);
            self.failures += u64::from(!delivered && delivery.last);
            let settlement = if recipient.done { Settlement::Final } else { Settlement::TryAgain };
            let end = self.scheduler.settle(channel, slot, settlement);
            self.remove(end);
        }
    }

    fn remove(&mut self, end: Option<Exhausted>) {
        if let Some(Exhausted { channel, id }) = end {
            let file = &self.files[&(channel, id.as_u64())];
            assert!(file.recipients.iter().all(|recipient| recipient.done));
        }
    }
}

#[test]
fn a_hundred_thousand_messages_are_all_delivered() {
    let mut world = World::new(20, 1);
    let mut recipients = 0;
    for number in 0..100_000 {
        // Spread over an hour; every tenth has several recipients, every hundredth is deferred.
        let needed = if number % 100 == 0 { vec![3, 1] } else { vec![1; 1 + number % 10 / 9 * 4] };
        recipients += needed.len() as u64;
        let channel = if number % 3 == 0 { Channel::Local } else { Channel::Remote };
        let birth = BEGIN + number as u64 % 3600;
        world.put(channel, number as u64, birth, &needed);
    }
    world.run();
    assert_eq!((world.deliveries, world.failures), (recipients, 0));
    assert_eq!(world.scheduler.waiting().count(), 0);
    assert_eq!(world.scheduler.awaited(), 0);
}

#[test]
fn no_message_waits_while_a_place_is_free() {
    let mut world = World::new(10, 7);
    for number in 0..1000 {
        world.put(Channel::Local, number, BEGIN, &[1]);
    }
    // 1000 deliveries of 7 seconds, 10 at once.
    assert_eq!(world.run(), BEGIN + 700);
}

#[test]
fn a_message_that_is_never_delivered_is_tried_at_the_times_of_the_table_and_fails() {
    for (channel, attempts, skip) in [(Channel::Local, 79, 10), (Channel::Remote, 40, 20)] {
        let mut world = World::new(1, 0);
        world.put(channel, 7, BEGIN, &[u32::MAX]);
        world.run();
        let expected: Vec<Time> = (0..attempts).map(|k: u64| BEGIN + (k * skip).pow(2)).collect();
        assert_eq!(world.files[&(channel, 7)].attempts, expected);
        assert_eq!((world.deliveries, world.failures), (0, 1));
    }
}
