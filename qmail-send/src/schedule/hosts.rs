//! How many deliveries each host has, so that one that does not answer leaves places for others.

use std::collections::{HashMap, VecDeque};

use qmail_address::host;
use qmail_core::queue::QueueId;

/// Hosts with deliveries under way. Without a limit nothing is counted.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    limit: Option<usize>,
    busy: HashMap<Vec<u8>, Busy>,
}

/// A host with deliveries under way.
#[derive(Debug, Default)]
struct Busy {
    running: usize,
    /// Messages with further recipients there.
    waiting: VecDeque<QueueId>,
}

impl Hosts {
    /// At most so many deliveries are made to a host at once.
    pub(crate) fn with_limit(limit: Option<usize>) -> Self {
        Self { limit: limit.filter(|limit| *limit > 0), busy: HashMap::new() }
    }

    /// Whether a recipient's host has as many deliveries as it may have.
    pub(crate) fn is_crowded(&self, recipient: &[u8]) -> bool {
        self.limit.is_some_and(|limit| {
            self.busy.get(&key(recipient)).is_some_and(|busy| busy.running >= limit)
        })
    }

    /// A delivery begins.
    pub(crate) fn enter(&mut self, recipient: &[u8]) {
        if self.limit.is_some() {
            self.busy.entry(key(recipient)).or_default().running += 1;
        }
    }

    /// A delivery has ended: the messages that may go on. The last one lets all of them go on, so
    /// that none waits for nobody.
    pub(crate) fn leave(&mut self, recipient: &[u8]) -> Vec<QueueId> {
        let key = key(recipient);
        let Some(busy) = self.busy.get_mut(&key) else { return Vec::new() };
        busy.running = busy.running.saturating_sub(1);
        if busy.running > 0 {
            return busy.waiting.pop_front().into_iter().collect();
        }
        self.busy.remove(&key).map(|busy| busy.waiting.into()).unwrap_or_default()
    }

    /// A message has further recipients where this one is. Whether it has to wait until a delivery
    /// there has ended.
    pub(crate) fn wait(&mut self, recipient: &[u8], id: QueueId) -> bool {
        let crowded = self.is_crowded(recipient);
        if crowded && let Some(busy) = self.busy.get_mut(&key(recipient)) {
            busy.waiting.push_back(id);
        }
        crowded
    }
}

fn key(recipient: &[u8]) -> Vec<u8> {
    host(recipient).unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leaves_makes_room_for_one_and_the_last_one_for_all() {
        let mut hosts = Hosts::with_limit(Some(2));
        for _ in 0..2 {
            assert!(!hosts.is_crowded(b"a@H.example"));
            hosts.enter(b"a@H.example");
        }
        assert!(hosts.is_crowded(b"b@h.EXAMPLE") && !hosts.is_crowded(b"b@other.example"));
        for id in 1..=4 {
            assert!(hosts.wait(b"c@h.example", QueueId::new(id)));
        }
        assert_eq!(hosts.leave(b"a@h.example"), [QueueId::new(1)]);
        assert!(!hosts.wait(b"c@h.example", QueueId::new(9)), "there is room");
        hosts.enter(b"c@h.example");
        assert_eq!(hosts.leave(b"a@h.example"), [QueueId::new(2)]);
        assert_eq!(hosts.leave(b"a@h.example"), [QueueId::new(3), QueueId::new(4)]);
        assert!(hosts.busy.is_empty());
        assert_eq!(hosts.leave(b"a@h.example"), []);
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        for limit in [None, Some(0)] {
            let mut hosts = Hosts::with_limit(limit);
            hosts.enter(b"a@h");
            assert!(!hosts.is_crowded(b"a@h") && hosts.busy.is_empty());
            assert!(!hosts.wait(b"a@h", QueueId::new(1)));
        }
    }
}
