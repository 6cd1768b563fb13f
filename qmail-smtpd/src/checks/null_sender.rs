//! Bounces: a real one has one recipient.

use super::{Check, Verdict};
use crate::replies::{NO_NULL_SENDERS, ONE_RECIPIENT_OF_BOUNCES};
use crate::transaction::Transaction;
use crate::visit::Visit;

/// Refuses messages from `<>` to several recipients.
#[derive(Clone, Copy, Debug)]
pub(super) struct OneRecipientOfBounces;

/// Turns all senders `<>` away: an emergency switch against a flood of bounces.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoNullSenders;

impl Check for OneRecipientOfBounces {
    fn data(&mut self, visit: &mut Visit) -> Verdict {
        if visit.sender().is_empty() && visit.accepted_recipients() > 1 {
            return Verdict::Refuse(ONE_RECIPIENT_OF_BOUNCES);
        }
        Verdict::Pass
    }
}

impl Check for NoNullSenders {
    fn sender(&mut self, _visit: &mut Visit, beginning: &mut Transaction) -> Verdict {
        if beginning.sender.is_empty() {
            return Verdict::Disconnect(NO_NULL_SENDERS);
        }
        Verdict::Pass
    }
}
