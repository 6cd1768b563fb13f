//! Numbers that nobody outside can guess.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A random number: a keyed hash whose key the system drew for this process.
pub(crate) fn random() -> u64 {
    // Each `RandomState` differs from the one before, so the same (empty) input gives a new number.
    RandomState::new().build_hasher().finish()
}

/// A random number below `limit` (0 if `limit` is 0): for choosing among equals.
pub fn random_below(limit: usize) -> usize {
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    // The product's upper half: as even as 64 bits allow, where a remainder would favour the low.
    let scaled = (u128::from(random()) * u128::from(limit)) >> 64;
    usize::try_from(scaled).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_differ_and_every_choice_comes_up() {
        assert_eq!((0..1000).map(|_| random()).collect::<HashSet<_>>().len(), 1000);
        let choices: HashSet<usize> = (0..1000).map(|_| random_below(4)).collect();
        assert_eq!(choices, HashSet::from([0, 1, 2, 3]));
        assert_eq!(random_below(0), 0);
    }
}
