//! `rcpthosts`: strangers may send only to domains that are ours.

use qmail_core::rcpthosts::Rcpthosts;

use super::{Check, Verdict};
use crate::replies::{NOT_OURS, UNREADABLE_CONTROLS};
use crate::transaction::Recipient;
use crate::visit::Visit;

/// Finds out whose recipients are ours, and refuses none: other checks want to know.
#[derive(Debug)]
pub struct KnownDomains(pub Rcpthosts);

/// Refuses recipients elsewhere, unless the client may relay.
#[derive(Clone, Copy, Debug)]
pub struct OwnDomainsOnly;

impl Check for KnownDomains {
    fn recipient(&mut self, _visit: &mut Visit, recipient: &mut Recipient) -> Verdict {
        match self.0.allow(&recipient.named) {
            Ok(is_ours) => recipient.is_ours = is_ours,
            Err(_) => return Verdict::Disconnect(UNREADABLE_CONTROLS),
        }
        Verdict::Pass
    }
}

impl Check for OwnDomainsOnly {
    fn yields(&self) -> bool {
        true
    }

    fn recipient(&mut self, visit: &mut Visit, recipient: &mut Recipient) -> Verdict {
        let is_taken = recipient.is_ours || visit.may_relay();
        if is_taken { Verdict::Pass } else { Verdict::Refuse(NOT_OURS) }
    }
}
