//! Messages of which a recipient file is being worked on.

use qmail_core::queue::{Channel, QueueId};

use super::Time;

/// The place of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct JobNumber(usize);

/// One attempt at the recipients of a message on one channel. It lives until its file has been read
/// and every delivery that came of it has ended.
#[derive(Debug)]
pub(crate) struct Job<P> {
    pub id: QueueId,
    pub channel: Channel,
    /// When the message is tried again, if anything is left of it.
    pub retry: Time,
    /// There will be no further attempt: deferrals count as failures.
    pub last: bool,
    /// The file is still being read.
    pub reading: bool,
    /// Deliveries under way.
    pub running: usize,
    /// Somebody has to be tried again, or the file was not read to its end.
    pub left: bool,
    /// Somebody could not be delivered to, or the file could not be read.
    pub failed: bool,
    /// Somebody was not tried, since his host has as many deliveries as it may have.
    pub crowded_out: Option<Vec<u8>>,
    /// What the caller keeps with it.
    pub payload: P,
}

/// A limited number of jobs. No place is searched for, however many there are.
#[derive(Debug)]
pub(crate) struct Jobs<P> {
    limit: usize,
    places: Vec<Option<Job<P>>>,
    /// Those of `places` that are empty.
    free: Vec<usize>,
}

impl<P> Jobs<P> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, places: Vec::new(), free: Vec::new() }
    }

    /// From now on, there may be so many. Those that are there go on.
    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    pub(crate) fn has_free(&self) -> bool {
        self.places.len().saturating_sub(self.free.len()) < self.limit
    }

    pub(crate) fn add(&mut self, job: Job<P>) -> Option<JobNumber> {
        if !self.has_free() {
            return None;
        }
        let number = match self.free.pop() {
            Some(number) => number,
            None => {
                self.places.push(None);
                self.places.len() - 1
            }
        };
        *self.places.get_mut(number)? = Some(job);
        Some(JobNumber(number))
    }

    pub(crate) fn get(&self, number: JobNumber) -> Option<&Job<P>> {
        self.places.get(number.0)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, number: JobNumber) -> Option<&mut Job<P>> {
        self.places.get_mut(number.0)?.as_mut()
    }

    /// Takes the job away if nothing of it is under way any more.
    pub(crate) fn take_ended(&mut self, number: JobNumber) -> Option<Job<P>> {
        let place = self.places.get_mut(number.0)?;
        let ended = place.take_if(|job| !job.reading && job.running == 0)?;
        self.free.push(number.0);
        Some(ended)
    }
}
