//! What is to be delivered when: decisions only, no I/O, and the clock is an argument.
//!
//! Each channel has a heap of messages by the time at which they are due, and reads one recipient
//! file at a time: the pass. A pass belongs to a job, which outlives it until the last delivery has
//! reported. Messages without recipients left wait in another heap to be removed, and those about
//! which the file system could not be asked in a third.

mod hosts;
mod jobs;
mod retry;
mod slots;
mod waiting;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use qmail_core::queue::{Channel, QueueId};
use qmail_wire::spawn::DeliveryNumber;

use crate::channels::PerChannel;
use hosts::Hosts;
use jobs::{Job, JobNumber, Jobs};
use slots::{Running, Slots};
use waiting::Waiting;

pub(crate) use retry::AFTER_TROUBLE;

/// When something is due that is due at once.
const AT_ONCE: Time = 0;

/// Seconds since 1970.
pub type Time = u64;

/// The scheduler. `P` is what its owner keeps with a job.
#[derive(Debug)]
pub struct Scheduler<P> {
    lifetime: u64,
    lanes: PerChannel<Lane>,
    jobs: Jobs<P>,
    /// Of the remote channel.
    hosts: Hosts,
    finished: Waiting,
    doubtful: Waiting,
    last_number: u64,
    stopping: bool,
}

/// One channel.
#[derive(Debug)]
struct Lane {
    waiting: Waiting,
    slots: Slots,
    pass: Option<JobNumber>,
    alive: bool,
}

/// A delivery that has just been decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// Its number for the spawner.
    pub slot: DeliveryNumber,
    /// Its number in the log.
    pub number: u64,
}

/// A delivery that is under way, and what it belongs to.
#[derive(Debug)]
pub struct Delivery<'a, P> {
    /// What is delivered.
    pub message: QueueId,
    /// Its number in the log.
    pub number: u64,
    /// Where the recipient's record is in the recipient file.
    pub offset: u64,
    /// To whom.
    pub recipient: &'a [u8],
    /// A deferral is final: the message is too old for another attempt.
    pub last: bool,
    /// What its owner keeps with the job.
    pub payload: &'a P,
}

/// How the reading of a recipient file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassEnd {
    /// At its end.
    Complete,
    /// Before it: nobody knows who is left.
    Broken,
}

/// Whether a recipient has had his verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// He has: he is not to be tried again.
    Final,
    /// He is to be tried again.
    TryAgain,
}

/// How many deliveries are under way, and could be, on a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Under way.
    pub used: usize,
    /// At most.
    pub limit: usize,
}

/// The end of a job that leaves nobody to deliver to: its recipient file can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted {
    /// Of this channel.
    pub channel: Channel,
    /// Of this message.
    pub id: QueueId,
}

impl<P> Scheduler<P> {
    /// With nothing to do, and places for so many deliveries at once.
    pub fn new(lifetime: u64, concurrency: PerChannel<DeliveryNumber>) -> Self {
        let lanes = PerChannel::new(|channel| Lane {
            waiting: Waiting::default(),
            slots: Slots::new(*concurrency.of(channel)),
            pass: None,
            alive: true,
        });
        let jobs = Jobs::new(lanes.iter().map(|lane| lane.slots.count()).sum());
        let (finished, doubtful) = (Waiting::default(), Waiting::default());
        let hosts = Hosts::default();
        Self { lifetime, lanes, jobs, hosts, finished, doubtful, last_number: 0, stopping: false }
    }

    /// From now on, so many deliveries may be under way. Those that are go on.
    pub fn set_concurrency(&mut self, concurrency: &PerChannel<DeliveryNumber>) {
        for channel in Channel::ALL {
            self.lanes.of_mut(channel).slots.set_limit(*concurrency.of(channel));
        }
        self.jobs.set_limit(self.most_jobs());
    }

    /// At most so many messages are worked on at once, until the concurrency is set again.
    pub(crate) fn limit_messages(&mut self, most: usize) {
        self.jobs.set_limit(self.most_jobs().min(most));
    }

    /// From now on, at most so many remote deliveries to one host are under way. Only to be set
    /// while none is.
    pub(crate) fn limit_hosts(&mut self, limit: Option<usize>) {
        self.hosts = Hosts::with_limit(limit);
    }

    /// A message has recipients on a channel.
    pub fn add(&mut self, channel: Channel, id: QueueId, due: Time) {
        self.lanes.of_mut(channel).waiting.add(id, due);
    }

    /// A message has no recipients on any channel.
    pub fn add_finished(&mut self, id: QueueId, due: Time) {
        self.finished.add(id, due);
    }

    /// Nobody knows on which channels a message has recipients.
    pub fn add_doubtful(&mut self, id: QueueId, now: Time) {
        self.doubtful.add(id, now.saturating_add(AFTER_TROUBLE));
    }

    /// qmail-todo has settled what was in doubt: asked again, the file system would only tell us a
    /// second time, and the message would be delivered twice.
    pub fn clear_doubt(&mut self, id: QueueId) {
        self.doubtful.remove(id);
    }

    /// A message whose recipient file is to be opened now.
    pub fn take_message(&mut self, channel: Channel, now: Time) -> Option<QueueId> {
        if !self.can_open(channel) {
            return None;
        }
        self.lanes.of_mut(channel).waiting.take_due(now)
    }

    /// Its file, or what else it takes, cannot be opened.
    pub fn postpone(&mut self, channel: Channel, id: QueueId, now: Time) {
        self.add(channel, id, now.saturating_add(AFTER_TROUBLE));
    }

    /// As [`Self::open`], for a message that is given up after another time than most.
    pub fn open_for(
        &mut self,
        channel: Channel,
        id: QueueId,
        (birth, now): (Time, Time),
        lifetime: u64,
        payload: P,
    ) {
        let job = Job {
            id,
            channel,
            retry: retry::next_attempt(birth, now, channel),
            last: retry::is_last_attempt(birth, now, lifetime),
            reading: true,
            running: 0,
            left: false,
            failed: false,
            crowded_out: None,
            payload,
        };
        match self.jobs.add(job) {
            Some(number) => self.lanes.of_mut(channel).pass = Some(number),
            // `take_message` has seen to it that there is room.
            None => self.postpone(channel, id, now),
        }
    }

    /// Its file is open: a pass begins.
    pub fn open(&mut self, channel: Channel, id: QueueId, birth: Time, now: Time, payload: P) {
        self.open_for(channel, id, (birth, now), self.lifetime, payload);
    }

    /// Whether the next record of a channel's pass is to be read.
    pub fn wants_recipient(&self, channel: Channel) -> bool {
        let lane = self.lanes.of(channel);
        !self.stopping && lane.alive && lane.pass.is_some() && lane.slots.has_free()
    }

    /// The message that a channel's pass reads, and what is kept with it.
    pub fn pass(&self, channel: Channel) -> Option<(QueueId, &P)> {
        let job = self.jobs.get(self.lanes.of(channel).pass?)?;
        Some((job.id, &job.payload))
    }

    /// The pass has come upon a recipient who is to be delivered to.
    pub fn start(&mut self, channel: Channel, offset: u64, recipient: Vec<u8>) -> Option<Started> {
        let lane = self.lanes.of_mut(channel);
        let job = lane.pass?;
        let number = self.last_number + 1;
        if channel == Channel::Remote {
            self.hosts.enter(&recipient);
        }
        let slot = lane.slots.fill(Running { job, number, offset, recipient })?;
        self.jobs.get_mut(job)?.running += 1;
        self.last_number = number;
        Some(Started { slot, number })
    }

    /// Whether the host of a recipient has as many deliveries as it may have. He is left for later
    /// then, which is noted.
    pub(crate) fn crowds_out(&mut self, channel: Channel, recipient: &[u8]) -> bool {
        if channel != Channel::Remote || !self.hosts.is_crowded(recipient) {
            return false;
        }
        let pass = self.lanes.of(channel).pass;
        if let Some(job) = pass.and_then(|number| self.jobs.get_mut(number)) {
            job.left = true;
            job.crowded_out.get_or_insert_with(|| recipient.to_vec());
        }
        true
    }

    /// The pass is over.
    pub fn end_pass(&mut self, channel: Channel, end: PassEnd) -> Option<Exhausted> {
        let number = self.lanes.of_mut(channel).pass.take()?;
        let job = self.jobs.get_mut(number)?;
        job.reading = false;
        job.left |= end == PassEnd::Broken;
        job.failed |= end == PassEnd::Broken;
        self.end_job(number)
    }

    /// A delivery that is under way; `None` if there is none of that number.
    pub fn delivery(&self, channel: Channel, slot: DeliveryNumber) -> Option<Delivery<'_, P>> {
        let running = self.lanes.of(channel).slots.get(slot)?;
        let job = self.jobs.get(running.job)?;
        Some(Delivery {
            message: job.id,
            number: running.number,
            offset: running.offset,
            recipient: &running.recipient,
            last: job.last,
            payload: &job.payload,
        })
    }

    /// A delivery has ended.
    pub fn settle(
        &mut self,
        channel: Channel,
        slot: DeliveryNumber,
        settlement: Settlement,
    ) -> Option<Exhausted> {
        let running = self.lanes.of_mut(channel).slots.clear(slot)?;
        if channel == Channel::Remote {
            for id in self.hosts.leave(&running.recipient) {
                self.add(channel, id, AT_ONCE);
            }
        }
        let job = self.jobs.get_mut(running.job)?;
        job.running = job.running.saturating_sub(1);
        job.left |= settlement == Settlement::TryAgain;
        job.failed |= settlement == Settlement::TryAgain;
        self.end_job(running.job)
    }

    /// A message without recipients that is to be removed now.
    pub fn take_finished(&mut self, now: Time) -> Option<QueueId> {
        self.finished.take_due(now)
    }

    /// A message about which the file system is to be asked now.
    pub fn take_doubtful(&mut self, now: Time) -> Option<QueueId> {
        self.doubtful.take_due(now)
    }

    /// Every message that waits for another attempt is due.
    pub fn hurry(&mut self, now: Time) {
        for channel in Channel::ALL {
            self.lanes.of_mut(channel).waiting.hurry(now);
        }
    }

    /// Nothing new begins from now on.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// Whether [`Self::stop`] was called, or a spawner is lost.
    pub fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// A channel's spawner is gone: what is under way there will never report.
    pub fn lose(&mut self, channel: Channel) {
        self.lanes.of_mut(channel).alive = false;
        self.stop();
    }

    /// Deliveries whose reports can be hoped for.
    pub fn awaited(&self) -> usize {
        self.lanes.iter().filter(|lane| lane.alive).map(|lane| lane.slots.used()).sum()
    }

    /// How busy each channel is.
    pub fn load(&self) -> PerChannel<Load> {
        PerChannel::new(|channel| {
            let slots = &self.lanes.of(channel).slots;
            Load { used: slots.used(), limit: slots.count() }
        })
    }

    /// When a recipient file is to be opened next, unless a report comes before.
    pub fn next_message_due(&self) -> Option<Time> {
        let open = Channel::ALL.into_iter().filter(|channel| self.can_open(*channel));
        open.filter_map(|channel| self.lanes.of(channel).waiting.next_due()).min()
    }

    /// When [`Self::take_finished`] has something to give.
    pub fn next_finished_due(&self) -> Option<Time> {
        self.finished.next_due()
    }

    /// When [`Self::take_doubtful`] has something to give.
    pub fn next_doubtful_due(&self) -> Option<Time> {
        self.doubtful.next_due()
    }

    /// Every message that waits for another attempt, with the time of that.
    pub fn waiting(&self) -> impl Iterator<Item = (Channel, QueueId, Time)> {
        Channel::ALL.into_iter().flat_map(|channel| {
            self.lanes.of(channel).waiting.iter().map(move |(id, due)| (channel, id, due))
        })
    }

    /// Each job has a delivery.
    fn most_jobs(&self) -> usize {
        self.lanes.iter().map(|lane| lane.slots.count()).sum()
    }

    fn can_open(&self, channel: Channel) -> bool {
        let lane = self.lanes.of(channel);
        let free = lane.slots.has_free() && self.jobs.has_free();
        !self.stopping && lane.alive && lane.pass.is_none() && free
    }

    fn end_job(&mut self, number: JobNumber) -> Option<Exhausted> {
        let job = self.jobs.take_ended(number)?;
        if !job.left {
            return Some(Exhausted { channel: job.channel, id: job.id });
        }
        match job.crowded_out {
            // Whoever failed is not tried again before his time, nor are the others then.
            Some(recipient) if !job.failed => {
                if !self.hosts.wait(&recipient, job.id) {
                    self.add(job.channel, job.id, AT_ONCE);
                }
            }
            _ => self.add(job.channel, job.id, job.retry),
        }
        None
    }
}
