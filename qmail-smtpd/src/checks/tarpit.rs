//! The tarpit: who sends to many waits for each.

use std::time::Duration;

use super::{Check, Verdict};
use crate::transaction::Recipient;
use crate::visit::Visit;

/// A client gives up on a reply to RCPT after 5 minutes: RFC 5321 §4.5.3.2.3.
const LONGEST_DELAY: u64 = 240;

/// Lets the client wait at one recipient, and at each one after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tarpit {
    count: u64,
    delay: Duration,
}

impl Tarpit {
    /// From the `count`th recipient on, if that is not 0, each takes so many seconds.
    pub(super) fn new(count: u64, seconds: u64) -> Option<Self> {
        let delay = Duration::from_secs(seconds.min(LONGEST_DELAY));
        (count > 0).then_some(Self { count, delay })
    }
}

impl Check for Tarpit {
    fn accepted(&mut self, visit: &mut Visit, _recipient: &mut Recipient) -> Verdict {
        let number = u64::try_from(visit.accepted_recipients()).unwrap_or(u64::MAX);
        if number.saturating_add(1) >= self.count {
            visit.pause(self.delay);
        }
        Verdict::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::transaction::Transaction;
    use crate::variables::Variables;

    #[test]
    fn the_recipient_that_was_named_waits_and_all_after_it() {
        let mut visit = Visit::new(Client::from_environment(&|_| None), Variables::none());
        let mut tarpit = Tarpit::new(3, 7).unwrap();
        let mut transaction = Transaction::from("a@b");
        let mut pauses = Vec::new();
        for _ in 0..4 {
            visit.transaction = Some(transaction.clone());
            tarpit.accepted(&mut visit, &mut Recipient::new("c@d"));
            pauses.push(visit.take_pause().as_secs());
            transaction.recipients.push(b"c@d".to_vec());
        }
        assert_eq!(pauses, [0, 0, 7, 7]);
    }

    #[test]
    fn without_a_count_nobody_waits_and_no_client_waits_for_ever() {
        assert_eq!(Tarpit::new(0, 5), None);
        assert_eq!(Tarpit::new(1, u64::MAX).unwrap().delay.as_secs(), LONGEST_DELAY);
    }
}
