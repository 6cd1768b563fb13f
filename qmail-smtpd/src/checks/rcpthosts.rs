//! `rcpthosts`: strangers may send only to domains that are ours.

use qmail_core::rcpthosts::Rcpthosts;

use super::{Check, Verdict};
use crate::client::Client;
use crate::replies::{NOT_OURS, UNREADABLE_CONTROLS};

/// Refuses recipients elsewhere, unless the client may relay.
#[derive(Debug)]
pub struct ListedRecipients(pub Rcpthosts);

impl Check for ListedRecipients {
    fn recipient(&mut self, client: &Client, recipient: &[u8]) -> Verdict {
        if client.relay.is_some() {
            return Verdict::Pass;
        }
        match self.0.allow(recipient) {
            Ok(true) => Verdict::Pass,
            Ok(false) => Verdict::Refuse(NOT_OURS),
            Err(_) => Verdict::Disconnect(UNREADABLE_CONTROLS),
        }
    }
}
