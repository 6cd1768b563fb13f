//! The other servers of the world.

use crate::Scale;
use crate::chance::Chance;

/// Milliseconds since the beginning.
pub(crate) type Millis = u64;

pub(crate) const SECOND: Millis = 1000;
pub(crate) const HOUR: Millis = 3600 * SECOND;
pub(crate) const DAY: Millis = 24 * HOUR;

/// How long qmail-remote waits for a connection (`timeoutconnect`).
pub(crate) const CONNECT_TIMEOUT: Millis = 60 * SECOND;

/// How often a server fails, on average, and for how long.
const BETWEEN_OUTAGES: f64 = 10.0;
const OUTAGE_HOURS: f64 = 3.0;

/// The largest destination fails on purpose, so that what that does to all others can be seen.
pub(crate) const LARGEST_FAILS: (Millis, Millis) = (2 * DAY + 8 * HOUR, 2 * DAY + 20 * HOUR);

/// One of them.
#[derive(Clone, Debug)]
struct Destination {
    /// What a delivery takes there.
    duration: Millis,
    /// Who is down does not answer at all, or refuses at once.
    is_silent: bool,
    /// Who comes first is told to come again.
    greylists: bool,
    /// When it is down.
    down: Vec<(Millis, Millis)>,
}

/// What becomes of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Delivered,
    Failed,
    Deferred,
}

/// All of them, the largest first.
#[derive(Debug)]
pub(crate) struct Destinations(Vec<Destination>);

impl Destinations {
    pub(crate) fn new(scale: Scale, chance: &mut Chance) -> Self {
        let end = scale.days * DAY;
        let mut all: Vec<_> =
            (0..scale.destinations).map(|_| Destination::any(end, chance)).collect();
        if let Some(largest) = all.first_mut() {
            let duration = 300;
            *largest = Destination {
                duration,
                is_silent: true,
                greylists: false,
                down: vec![LARGEST_FAILS],
            };
        }
        Self(all)
    }

    /// One of them; the tenth has about a tenth of the mail of the first (Zipf's law).
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is rounded down"
    )]
    pub(crate) fn choose(&self, chance: &mut Chance) -> u32 {
        let count = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        let place = f64::from(count + 1).powf(chance.share()) as u32;
        place.saturating_sub(1).min(count.saturating_sub(1))
    }

    /// What an attempt takes, and what becomes of it.
    pub(crate) fn attempt(
        &self,
        destination: u32,
        attempts_before: u32,
        now: Millis,
        chance: &mut Chance,
    ) -> (Millis, Verdict) {
        let Some(it) = usize::try_from(destination).ok().and_then(|at| self.0.get(at)) else {
            return (0, Verdict::Failed);
        };
        if it.is_down(now) {
            return (if it.is_silent { CONNECT_TIMEOUT } else { 50 }, Verdict::Deferred);
        }
        if it.greylists && attempts_before == 0 {
            return (it.duration, Verdict::Deferred);
        }
        // Some addresses do not exist.
        let verdict = if chance.happens(0.02) { Verdict::Failed } else { Verdict::Delivered };
        (it.duration, verdict)
    }

    /// Whether it is down then.
    pub(crate) fn is_down(&self, destination: u32, now: Millis) -> bool {
        let it = usize::try_from(destination).ok().and_then(|at| self.0.get(at));
        it.is_some_and(|it| it.is_down(now))
    }
}

impl Destination {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times are small")]
    fn any(end: Millis, chance: &mut Chance) -> Self {
        let mut down = Vec::new();
        // Names that nobody serves any more.
        if chance.happens(0.01) {
            down.push((0, Millis::MAX));
        }
        let days = |days: f64| (days * 24.0 * 3600.0 * 1000.0) as Millis;
        let mut time = days(chance.wait(BETWEEN_OUTAGES));
        while time < end {
            let outage = days(chance.wait(OUTAGE_HOURS / 24.0));
            down.push((time, time + outage));
            time += outage + days(chance.wait(BETWEEN_OUTAGES));
        }
        Self {
            duration: 100 + chance.wait(700.0) as Millis,
            is_silent: chance.happens(0.5),
            greylists: chance.happens(0.1),
            down,
        }
    }

    fn is_down(&self, now: Millis) -> bool {
        self.down.iter().any(|(from, to)| (*from..*to).contains(&now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_destination_has_more_mail_than_the_others() {
        let mut chance = Chance::new(1);
        let scale = Scale { messages: 0, destinations: 1000, days: 7, places: 1 };
        let all = Destinations::new(scale, &mut chance);
        let mut counts = vec![0; 1000];
        for _ in 0..100_000 {
            counts[all.choose(&mut chance) as usize] += 1;
        }
        assert!(counts[0] > 5 * counts[9] && counts[9] > 5 * counts[99], "{:?}", &counts[..10]);
        assert!(counts[999] > 0 || counts[998] > 0);
    }

    #[test]
    fn who_is_down_takes_the_time_of_a_connection_that_is_not_answered() {
        let mut chance = Chance::new(1);
        let scale = Scale { messages: 0, destinations: 1, days: 7, places: 1 };
        let all = Destinations::new(scale, &mut chance);
        let then = LARGEST_FAILS.0;
        assert_eq!(all.attempt(0, 0, then, &mut chance), (CONNECT_TIMEOUT, Verdict::Deferred));
        assert_ne!(all.attempt(0, 1, then - 1, &mut chance).1, Verdict::Deferred);
    }
}
