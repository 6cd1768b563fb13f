//! What happened, hour by hour.

use crate::destinations::{HOUR, Millis};

/// An attempt that begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    /// Seconds after it was due.
    pub late: u64,
    pub is_first: bool,
    /// Whether the server is down.
    pub to_the_dead: bool,
}

/// Everything in one hour.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hour {
    pub arrived: u64,
    pub attempts: u64,
    pub retries: u64,
    pub delivered: u64,
    pub failed: u64,
    /// The longest that the queue was.
    pub queued: usize,
    /// How late first attempts at servers that are up began.
    pub first: Delays,
    /// How late all further attempts began.
    pub again: Delays,
    /// Milliseconds of all places that were taken.
    taken: u64,
}

/// How many there were of each delay, in steps of a quarter of an octave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Delays {
    counts: Vec<u64>,
    most: u64,
}

/// The sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub arrived: u64,
    pub attempts: u64,
    pub delivered: u64,
    pub failed: u64,
    pub queued: usize,
    pub most_attempts: u32,
}

/// All hours.
#[derive(Debug, Default)]
pub(crate) struct History {
    hours: Vec<Hour>,
    last: Millis,
    used: usize,
    most_attempts: u32,
}

impl History {
    pub(crate) fn hours(&self) -> &[Hour] {
        &self.hours
    }

    pub(crate) fn totals(&self) -> Totals {
        let start = Totals { most_attempts: self.most_attempts, ..Totals::default() };
        self.hours.iter().fold(start, |sum, hour| Totals {
            arrived: sum.arrived + hour.arrived,
            attempts: sum.attempts + hour.attempts,
            delivered: sum.delivered + hour.delivered,
            failed: sum.failed + hour.failed,
            queued: sum.queued.max(hour.queued),
            ..sum
        })
    }

    pub(crate) fn arrived(&mut self, now: Millis) {
        self.hour(now).arrived += 1;
    }

    pub(crate) fn attempted(&mut self, now: Millis, attempt: Attempt) {
        let hour = self.hour(now);
        hour.attempts += 1;
        match attempt {
            Attempt { is_first: true, to_the_dead: false, late } => hour.first.add(late),
            Attempt { is_first: true, .. } => {}
            Attempt { is_first: false, late, .. } => {
                hour.retries += 1;
                hour.again.add(late);
            }
        }
    }

    pub(crate) fn ended(&mut self, now: Millis, delivered: bool, attempts: u32) {
        self.most_attempts = self.most_attempts.max(attempts);
        let hour = self.hour(now);
        if delivered {
            hour.delivered += 1;
        } else {
            hour.failed += 1;
        }
    }

    /// The state after a step.
    pub(crate) fn observe(&mut self, now: Millis, queued: usize, used: usize) {
        let before = u64::try_from(std::mem::replace(&mut self.used, used)).unwrap_or(0);
        let passed = now - std::mem::replace(&mut self.last, now);
        let hour = self.hour(now);
        hour.taken += passed * before;
        hour.queued = hour.queued.max(queued);
    }

    fn hour(&mut self, now: Millis) -> &mut Hour {
        let at = usize::try_from(now / HOUR).unwrap_or(0);
        if self.hours.len() <= at {
            self.hours.resize(at + 1, Hour::default());
        }
        &mut self.hours[at]
    }
}

impl Hour {
    /// How many places were taken on average.
    #[expect(clippy::cast_precision_loss, reason = "an hour has fewer milliseconds")]
    pub(crate) fn taken(&self) -> f64 {
        self.taken as f64 / HOUR as f64
    }
}

impl Delays {
    fn add(&mut self, seconds: u64) {
        let at = step(seconds);
        if self.counts.len() <= at {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += 1;
        self.most = self.most.max(seconds);
    }

    /// Seconds that so many of a thousand stay below, rounded up.
    pub(crate) fn below(&self, part: u64) -> u64 {
        let all: u64 = self.counts.iter().sum();
        let mut seen = 0;
        for (at, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen * 1000 >= all * part {
                return end(at).min(self.most);
            }
        }
        self.most
    }

    /// The longest.
    pub(crate) fn most(&self) -> u64 {
        self.most
    }

    /// Together with others.
    pub(crate) fn with(&self, other: &Self) -> Self {
        let length = self.counts.len().max(other.counts.len());
        let count = |delays: &Self, at: usize| delays.counts.get(at).copied().unwrap_or(0);
        let counts = (0..length).map(|at| count(self, at) + count(other, at)).collect();
        Self { counts, most: self.most.max(other.most) }
    }
}

/// Up to seven exactly, then four steps for each doubling.
fn step(seconds: u64) -> usize {
    if seconds < 8 {
        return usize::try_from(seconds).unwrap_or(0);
    }
    let octave = seconds.ilog2();
    let quarter = usize::try_from(seconds >> (octave - 2) & 3).unwrap_or(0);
    usize::try_from(octave).unwrap_or(0) * 4 - 4 + quarter
}

/// The longest in a step.
fn end(step: usize) -> u64 {
    let step = u64::try_from(step).unwrap_or(0);
    if step < 8 {
        return step;
    }
    let (octave, quarter) = ((step + 4) / 4, (step + 4) % 4);
    ((5 + quarter) << (octave - 2)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_delay_is_in_a_step_that_ends_at_it_or_soon_after() {
        for seconds in 0..100_000 {
            let end = end(step(seconds));
            assert!(seconds <= end && end <= seconds + seconds / 4, "{seconds} {end}");
        }
    }

    #[test]
    fn half_of_them_stay_below_the_median() {
        let mut delays = Delays::default();
        for seconds in [0, 0, 3, 100, 5000] {
            delays.add(seconds);
        }
        assert_eq!((delays.below(500), delays.below(1000), delays.most()), (3, 5000, 5000));
    }
}
