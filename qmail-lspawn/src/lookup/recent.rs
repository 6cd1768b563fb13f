//! What was found a moment ago.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long an answer counts: mail for one user comes in bursts, and a change of an account need not
/// count any sooner.
const MOMENT: Duration = Duration::from_secs(1);
/// Answers that are kept, at most.
const MOST: usize = 256;

/// Answers of a moment ago, each with the time when it came.
#[derive(Debug, Default)]
pub(super) struct Recent {
    answers: BTreeMap<Vec<u8>, (Instant, Vec<u8>)>,
}

impl Recent {
    /// Whose `local` is, if that was found a moment ago.
    pub(super) fn find(&self, local: &[u8], now: Instant) -> Option<&[u8]> {
        let (found, strings) = self.answers.get(local)?;
        is_recent(*found, now).then_some(strings.as_slice())
    }

    pub(super) fn add(&mut self, local: Vec<u8>, strings: &[u8], now: Instant) {
        if self.answers.len() >= MOST {
            self.answers.retain(|_, (found, _)| is_recent(*found, now));
        }
        if self.answers.len() < MOST {
            self.answers.insert(local, (now, strings.to_vec()));
        }
    }

    pub(super) fn forget(&mut self) {
        self.answers.clear();
    }
}

fn is_recent(found: Instant, now: Instant) -> bool {
    now.saturating_duration_since(found) < MOMENT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_for_a_moment() {
        let (mut recent, then) = (Recent::default(), Instant::now());
        recent.add(b"joe".to_vec(), b"joe's", then);
        assert_eq!(recent.find(b"joe", then + MOMENT / 2), Some(&b"joe's"[..]));
        assert_eq!(recent.find(b"jane", then), None);
        assert_eq!(recent.find(b"joe", then + MOMENT), None);
        recent.add(b"joe".to_vec(), b"again", then + MOMENT);
        assert_eq!(recent.find(b"joe", then + MOMENT), Some(&b"again"[..]));
        recent.forget();
        assert_eq!(recent.find(b"joe", then), None);
    }

    #[test]
    fn no_more_is_kept_than_that() {
        let (mut recent, then) = (Recent::default(), Instant::now());
        let name = |number: usize| number.to_string().into_bytes();
        for number in 0..MOST * 2 {
            recent.add(name(number), b"x", then);
        }
        assert_eq!(recent.answers.len(), MOST);
        recent.add(name(MOST), b"x", then + MOMENT);
        assert_eq!(recent.answers.len(), 1);
    }
}
