//! Numbers that look random, and are the same in every run with the same seed.

/// A xorshift generator: nothing here needs a better one.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Beginning here.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The seed of this run: `QMAIL_TESTS_SEED`, or always the same.
    #[must_use]
    pub fn of_this_run() -> Self {
        let seed = std::env::var("QMAIL_TESTS_SEED").ok().and_then(|text| text.parse().ok());
        Self::new(seed.unwrap_or(1))
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below this one, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.draw() % limit.max(1) as u64).unwrap_or(0)
    }

    /// At most so many of them, in their order.
    pub fn sample<T>(&mut self, mut all: Vec<T>, most: usize) -> Vec<T> {
        while all.len() > most {
            let at = self.below(all.len());
            all.remove(at);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_keeps_the_order_and_nothing_twice() {
        let sample = Random::new(7).sample((0..100).collect(), 10);
        assert_eq!(sample.len(), 10);
        assert!(sample.is_sorted());
        assert_eq!(Random::new(7).sample(vec![1, 2], 10), [1, 2]);
    }
}
