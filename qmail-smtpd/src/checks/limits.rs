//! How many recipients a message may have, and how many may be wrong.

use qmail_wire::smtp_server::Reply;

use super::{Check, Verdict};
use crate::printable::word;
use crate::replies::{RECIPIENT_LIMIT, TOO_MANY_INVALID};
use crate::transaction::Recipient;
use crate::visit::Visit;

/// Takes so many recipients for a message, and asks for another message for the rest.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecipientLimit(pub(super) u64);

/// Ends the connection after so many refused recipients: somebody tries names.
#[derive(Clone, Copy, Debug)]
pub(super) struct RefusalLimit(pub(super) u64);

impl Check for RecipientLimit {
    fn recipient(&mut self, visit: &mut Visit, _recipient: &mut Recipient) -> Verdict {
        let accepted = u64::try_from(visit.accepted_recipients()).unwrap_or(u64::MAX);
        if accepted >= self.0 { Verdict::Refuse(RECIPIENT_LIMIT) } else { Verdict::Pass }
    }
}

impl Check for RefusalLimit {
    fn refused(&mut self, visit: &mut Visit, _recipient: &Recipient, _reply: &Reply) -> Verdict {
        if visit.refused_recipients < self.0 {
            return Verdict::Pass;
        }
        let mut note = b"badrcptto: excessive rcptto violations hanging up on ".to_vec();
        note.extend(word(&visit.client.peer.remote_ip));
        visit.note(note);
        Verdict::Disconnect(TOO_MANY_INVALID)
    }
}
