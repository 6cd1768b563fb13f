//! The table of servers that do not answer (`lock/tcpto`), which spares deliveries the wait.

use crate::destinations::{Millis, SECOND};

/// How many it holds.
const RECORDS: usize = 64;

#[derive(Clone, Copy, Debug, Default)]
struct Record {
    destination: u32,
    count: u64,
    when: Millis,
}

/// The rules are those of qmail-tcpto(8).
#[derive(Debug)]
pub(crate) struct Timeouts([Record; RECORDS]);

impl Default for Timeouts {
    fn default() -> Self {
        Self([Record::default(); RECORDS])
    }
}

impl Timeouts {
    /// Whether a server is not even tried; `patience` is anything, as a process number is.
    pub(crate) fn holds(&self, destination: u32, now: Millis, patience: u64) -> bool {
        let hold = (60 + patience % 32) * 64 * SECOND;
        let mut records = self.0.iter().filter(|record| record.destination == destination);
        records.any(|record| record.count >= 2 && now.saturating_sub(record.when) < hold)
    }

    /// It did not answer.
    pub(crate) fn add(&mut self, destination: u32, now: Millis) {
        let is_it = |record: &Record| record.count > 0 && record.destination == destination;
        if let Some(record) = self.0.iter_mut().find(|record| is_it(record)) {
            if now >= record.when + 120 * SECOND {
                record.count = (record.count + 1).min(10);
                record.when = now;
            }
            return;
        }
        let oldest = |record: &&mut Record| match record.count {
            0 => 0,
            count => record.when + count * 1024 * SECOND,
        };
        if let Some(record) = self.0.iter_mut().min_by_key(oldest) {
            *record = Record { destination, count: 1, when: now };
        }
    }

    /// It did answer.
    pub(crate) fn clear(&mut self, destination: u32) {
        for record in self.0.iter_mut().filter(|record| record.destination == destination) {
            record.count = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_left_alone_after_two_silences_two_minutes_apart() {
        let mut table = Timeouts::default();
        let minute = 60 * SECOND;
        table.add(7, 0);
        table.add(7, minute);
        assert!(!table.holds(7, minute, 0));
        table.add(7, 2 * minute);
        assert!(table.holds(7, 3 * minute, 0));
        assert!(!table.holds(8, 3 * minute, 0));
        assert!(!table.holds(7, 2 * minute + 3840 * SECOND, 0));
        table.clear(7);
        assert!(!table.holds(7, 3 * minute, 0));
    }
}
