//! What spawners report is written down: in the log, in `bounce/`, and at the recipient.

use qmail_core::queue::{Channel, mark_done};
use qmail_wire::spawn::{DeliveryNumber, Mangled, Report};

use super::Daemon;
use crate::bounce::{original_recipient, record};
use crate::channels::PerChannel;
use crate::files::{append, look};
use crate::lines::{self, Trouble, outcome};
use crate::schedule::{Exhausted, Settlement, Time};
use crate::spawner::Spawner;
use crate::verdict::{Outcome, judge};

/// A failure that could not be written to `bounce/` is tried again after so many seconds.
const AFTER_TROUBLE: u64 = 10;

/// Failures that could not be written to `bounce/`. Their places stay taken until they can be, so
/// that there are never more of them than deliveries at once.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    failures: Vec<Failure>,
    due: Time,
}

#[derive(Debug)]
struct Failure {
    channel: Channel,
    slot: DeliveryNumber,
    record: Vec<u8>,
}

impl Unwritten {
    /// When they are to be tried again.
    pub(super) fn due(&self) -> Option<Time> {
        (!self.failures.is_empty()).then_some(self.due)
    }

    /// How many of them are among the deliveries of spawners that are alive. To end without having
    /// written them does no harm: their recipients are not marked.
    pub(super) fn awaited(&self, spawners: &PerChannel<Option<Spawner>>) -> usize {
        let alive = |failure: &&Failure| spawners.of(failure.channel).is_some();
        self.failures.iter().filter(alive).count()
    }

    fn has(&self, channel: Channel, slot: DeliveryNumber) -> bool {
        self.failures.iter().any(|failure| failure.channel == channel && failure.slot == slot)
    }
}

impl Daemon {
    pub(super) fn read_reports(&mut self, channel: Channel, now: Time) {
        match self.spawners.of_mut(channel).as_mut().map(Spawner::receive) {
            None => {}
            Some(Err(_)) => self.lose_spawner(channel),
            Some(Ok(reports)) => {
                for report in reports {
                    self.take_report(channel, report, now);
                }
            }
        }
    }

    fn take_report(&mut self, channel: Channel, report: Result<Report, Mangled>, now: Time) {
        let (Ok(Report { delivery: slot, .. }) | Err(Mangled { delivery: slot })) = &report;
        let slot = *slot;
        let delivery = self.scheduler.delivery(channel, slot);
        let Some(delivery) = delivery.filter(|_| !self.unwritten.has(channel, slot)) else {
            self.say(lines::OUT_OF_RANGE);
            return;
        };
        let result = judge(report, delivery.last);
        self.log.write(&outcome(delivery.number, &result));
        match result {
            Outcome::Success(_) => self.finish_recipient(channel, slot, now),
            Outcome::Deferral(_) | Outcome::Unknown => {
                self.settle(channel, slot, Settlement::TryAgain, now);
            }
            Outcome::Failure(text) => {
                let map = &self.settings.virtual_domains;
                let record = record(original_recipient(delivery.recipient, map), &text);
                let failure = Failure { channel, slot, record };
                self.write_failure(failure, now);
            }
        }
    }

    /// A failure is on disk before the recipient is marked: the other way round, a crash between the
    /// two would leave nobody who knows of it.
    fn write_failure(&mut self, failure: Failure, now: Time) {
        let Failure { channel, slot, .. } = failure;
        let Some(delivery) = self.scheduler.delivery(channel, slot) else { return };
        if append(&self.queue, delivery.message, &failure.record).is_ok() {
            self.finish_recipient(channel, slot, now);
            return;
        }
        self.say(lines::CANNOT_APPEND);
        self.unwritten.failures.push(failure);
        self.unwritten.due = now.saturating_add(AFTER_TROUBLE);
    }

    /// Tries again to write the failures that could not be written.
    pub(super) fn write_again(&mut self, now: Time) {
        if self.unwritten.due().is_some_and(|due| due <= now) {
            for failure in std::mem::take(&mut self.unwritten.failures) {
                self.write_failure(failure, now);
            }
        }
    }

    /// Marks a recipient who has had his verdict.
    fn finish_recipient(&mut self, channel: Channel, slot: DeliveryNumber, now: Time) {
        if let Some(delivery) = self.scheduler.delivery(channel, slot)
            && mark_done(&delivery.payload.recipients, delivery.offset).is_err()
        {
            let path = self.queue.recipients(channel, delivery.message);
            self.warn(Trouble::Mark, &path);
        }
        self.settle(channel, slot, Settlement::Final, now);
    }

    fn settle(
        &mut self,
        channel: Channel,
        slot: DeliveryNumber,
        settlement: Settlement,
        now: Time,
    ) {
        if let Some(exhausted) = self.scheduler.settle(channel, slot, settlement) {
            self.remove_recipients(exhausted, now);
        }
        self.log_status();
    }

    /// Removes a recipient file that has nobody left; if it was the message's last, the message is
    /// finished.
    pub(super) fn remove_recipients(&mut self, exhausted: Exhausted, now: Time) {
        let Exhausted { channel, id } = exhausted;
        let path = self.queue.recipients(channel, id);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                self.warn(Trouble::UnlinkRetry, &path);
                self.scheduler.postpone(channel, id, now);
                return;
            }
            _ => {}
        }
        for other in Channel::ALL.into_iter().filter(|other| *other != channel) {
            let path = self.queue.recipients(other, id);
            match look(&path) {
                Ok(Some(_)) => return,
                Ok(None) => {}
                // It is looked at again before anything is removed.
                Err(_) => self.warn(Trouble::Stat, &path),
            }
        }
        self.scheduler.add_finished(id, now);
    }
}
