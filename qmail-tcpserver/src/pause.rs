//! How long to wait after something that will not get better at once.

use std::time::{Duration, Instant};

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// A pause that gets longer from one trouble to the next.
#[derive(Debug)]
pub(crate) struct Pause {
    until: Option<Instant>,
    next: Duration,
}

impl Pause {
    /// None, to begin with.
    pub(crate) fn none() -> Self {
        Self { until: None, next: SHORTEST }
    }

    /// There was trouble: waits, longer than the last time.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.until = Some(now + self.next);
        self.next = (self.next * 2).min(LONGEST);
    }

    /// There is none any more.
    pub(crate) fn forget(&mut self) {
        *self = Self::none();
    }

    /// What is left of it; `None` if nothing is.
    pub(crate) fn left(&mut self, now: Instant) -> Option<Duration> {
        let left = self.until?.checked_duration_since(now).filter(|left| !left.is_zero());
        if left.is_none() {
            self.until = None;
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_limit_and_are_forgotten() {
        let now = Instant::now();
        let mut pause = Pause::none();
        assert_eq!(pause.left(now), None);
        pause.begin(now);
        assert_eq!(pause.left(now), Some(SHORTEST));
        assert_eq!(pause.left(now + SHORTEST), None);
        assert_eq!(pause.left(now), None);
        for _ in 0..10 {
            pause.begin(now);
        }
        assert_eq!(pause.left(now), Some(LONGEST));
        pause.forget();
        pause.begin(now);
        assert_eq!(pause.left(now), Some(SHORTEST));
    }
}
