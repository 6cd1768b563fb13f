//! Messages that wait for their time: sixteen bytes each, however many there are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use qmail_core::queue::QueueId;

use super::Time;

/// Messages by the time at which they are due, earliest first.
#[derive(Debug, Default)]
pub(crate) struct Waiting(BinaryHeap<Reverse<(Time, QueueId)>>);

impl Waiting {
    pub(crate) fn add(&mut self, id: QueueId, due: Time) {
        self.0.push(Reverse((due, id)));
    }

    /// When the first of them is due.
    pub(crate) fn next_due(&self) -> Option<Time> {
        self.0.peek().map(|Reverse((due, _))| *due)
    }

    /// The first of them, if it is due.
    pub(crate) fn take_due(&mut self, now: Time) -> Option<QueueId> {
        self.next_due().filter(|due| *due <= now)?;
        self.0.pop().map(|Reverse((_, id))| id)
    }

    /// Makes all of them due.
    pub(crate) fn hurry(&mut self, now: Time) {
        let all = std::mem::take(&mut self.0).into_vec();
        self.0 = all.into_iter().map(|Reverse((_, id))| Reverse((now, id))).collect();
    }

    /// Takes a message out, wherever it is. Only for heaps that are short as a rule.
    pub(crate) fn remove(&mut self, id: QueueId) {
        if !self.0.is_empty() {
            self.0.retain(|Reverse((_, other))| *other != id);
        }
    }

    /// All of them, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (QueueId, Time)> {
        self.0.iter().map(|Reverse((due, id))| (*id, *due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_sixteen_bytes() {
        assert_eq!(size_of::<Reverse<(Time, QueueId)>>(), 16);
    }

    #[test]
    fn the_earliest_is_taken_when_its_time_has_come() {
        let mut waiting = Waiting::default();
        for (id, due) in [(1, 30), (2, 10), (3, 20)] {
            waiting.add(QueueId::new(id), due);
        }
        assert_eq!(waiting.take_due(9), None);
        assert_eq!(waiting.take_due(25), Some(QueueId::new(2)));
        assert_eq!(waiting.next_due(), Some(20));
        waiting.hurry(11);
        assert_eq!(waiting.take_due(11), Some(QueueId::new(1)));
        waiting.remove(QueueId::new(3));
        assert_eq!(waiting.next_due(), None);
    }
}
