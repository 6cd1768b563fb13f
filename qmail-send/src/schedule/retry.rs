//! When a message is tried again: at squares, so that old messages are tried less and less often.

use qmail_core::queue::Channel;

use super::Time;

/// What could not be asked of the file system now is asked again after so many seconds.
pub(crate) const AFTER_TROUBLE: u64 = 123;

/// When a message that was born at `birth` and is tried at `now` is to be tried again: at the age
/// of the next square, of a whole number times 10 (local) or 20 (remote) if it was never late.
pub(crate) fn next_attempt(birth: Time, now: Time, channel: Channel) -> Time {
    let skip = match channel {
        Channel::Local => 10,
        Channel::Remote => 20,
    };
    let root = now.saturating_sub(birth).isqrt().saturating_add(skip);
    birth.saturating_add(root.saturating_mul(root))
}

/// Whether an attempt at `now` is the last one.
pub(crate) fn is_last_attempt(birth: Time, now: Time, lifetime: u64) -> bool {
    now > birth.saturating_add(lifetime)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BIRTH: Time = 1_800_000_000;

    fn ages(channel: Channel, count: usize) -> Vec<u64> {
        let next = |now: &Time| Some(next_attempt(BIRTH, *now, channel));
        std::iter::successors(Some(BIRTH), next).take(count).map(|now| now - BIRTH).collect()
    }

    #[test]
    fn attempts_are_made_at_the_ages_of_the_table() {
        let local = [0, 100, 400, 900, 1600, 2500, 3600, 4900, 6400, 8100];
        let remote = [0, 400, 1600, 3600, 6400, 10_000, 14_400, 19_600, 25_600, 32_400];
        assert_eq!(ages(Channel::Local, 10), local);
        assert_eq!(ages(Channel::Remote, 10), remote);
    }

    #[test]
    fn the_79th_local_and_the_40th_remote_attempt_are_the_last() {
        for (channel, attempts) in [(Channel::Local, 79), (Channel::Remote, 40)] {
            let ages = ages(channel, attempts);
            let last = |age: &u64| is_last_attempt(BIRTH, BIRTH + age, 604_800);
            assert_eq!(ages.iter().position(last), Some(attempts - 1));
            assert_eq!(ages.last(), Some(&608_400));
        }
    }

    #[test]
    fn a_late_attempt_skips_no_more_than_what_has_passed() {
        assert_eq!(next_attempt(BIRTH, BIRTH + 36, Channel::Local), BIRTH + 256);
        assert_eq!(next_attempt(BIRTH, BIRTH + 35, Channel::Local), BIRTH + 225);
    }

    #[test]
    fn a_birth_in_the_future_and_the_end_of_time_do_no_harm() {
        assert_eq!(next_attempt(BIRTH, 0, Channel::Remote), BIRTH + 400);
        assert_eq!(next_attempt(0, u64::MAX, Channel::Local), u64::MAX);
        assert!(!is_last_attempt(u64::MAX, u64::MAX, 1));
    }
}
