//! How many recipients, and how many wrong ones, a session may have, and how long they wait.

use std::time::Duration;

/// What is refused first waits for so long, and each further one for so much longer.
const FIRST_DELAY: Duration = Duration::from_millis(1000);
const FURTHER_DELAY: Duration = Duration::from_millis(300);
/// No reply waits longer.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// What was counted so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    most: Option<u64>,
    most_wrong: Option<u64>,
    tried: u64,
    wrong: u64,
    is_past: bool,
    delay: Duration,
}

impl Limits {
    /// With these limits; 0 is none.
    pub(super) fn new(most: Option<u64>, most_wrong: Option<u64>) -> Self {
        let most = most.filter(|limit| *limit > 0);
        let most_wrong = most_wrong.filter(|limit| *limit > 0);
        Self { most, most_wrong, tried: 0, wrong: 0, is_past: false, delay: FIRST_DELAY }
    }

    /// One of the limits was reached: nothing more is answered.
    pub(super) fn is_past(&self) -> bool {
        self.is_past
    }

    /// Counts another recipient; whether that is the one too many.
    pub(super) fn is_one_too_many(&mut self) -> bool {
        self.tried = self.tried.saturating_add(1);
        self.is_past = self.most.is_some_and(|limit| self.tried >= limit);
        self.is_past
    }

    /// Counts another one who does not exist; whether the limit of those is reached.
    pub(super) fn is_one_wrong_too_many(&mut self) -> bool {
        self.wrong = self.wrong.saturating_add(1);
        self.is_past = self.most_wrong.is_some_and(|limit| self.wrong >= limit);
        self.is_past
    }

    /// How long the next refusal waits.
    pub(super) fn next_delay(&mut self) -> Duration {
        let delay = self.delay.min(LONGEST_DELAY);
        self.delay = self.delay.saturating_add(FURTHER_DELAY);
        delay
    }
}
