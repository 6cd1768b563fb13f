//! Measurements of a qmail tree: what they share.
#![forbid(unsafe_code)]

use std::time::Duration;

/// Measured times of one thing.
#[derive(Clone, Debug, Default)]
pub struct Sample(Vec<Duration>);

impl Sample {
    /// Adds a measurement.
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// The time that half of them stay below; zero of none.
    pub fn median(&self) -> Duration {
        self.quantile(1, 2)
    }

    /// The time that `part` of `whole` parts of them stay below.
    pub fn quantile(&self, part: usize, whole: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = sorted.len().saturating_mul(part) / whole.max(1);
        sorted.get(at).or(sorted.last()).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let mut sample = Sample::default();
        for milliseconds in [9, 1, 5, 3, 7] {
            sample.push(Duration::from_millis(milliseconds));
        }
        assert_eq!(sample.median(), Duration::from_millis(5));
        assert_eq!(sample.quantile(1, 1), Duration::from_millis(9));
    }
}
