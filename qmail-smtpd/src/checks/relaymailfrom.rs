//! `relaymailfrom`: senders who may send to anybody. Anyone can claim to be such a sender, so the
//! list counts only for clients for whom `$RELAYMAILFROM` is set.

use qmail_address::host;
use qmail_core::long_list::LongList;

use super::{Check, Verdict};
use crate::printable::word;
use crate::replies::UNREADABLE_CONTROLS;
use crate::transaction::Transaction;
use crate::visit::Visit;

/// Lets listed senders relay.
#[derive(Debug)]
pub(super) struct RelayingSenders(pub(super) LongList);

impl Check for RelayingSenders {
    fn sender(&mut self, visit: &mut Visit, beginning: &mut Transaction) -> Verdict {
        let mut names = vec![beginning.sender.clone()];
        names.extend(host(&beginning.sender).map(|host| [b"@", host].concat()));
        let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
        match self.0.first_of(&names) {
            Ok(None) => {}
            Ok(Some(_)) => {
                beginning.may_relay = true;
                let mut note = b"qmail-smtpd: relaymailfrom: <".to_vec();
                note.extend(word(&beginning.sender));
                note.extend_from_slice(b"> at ");
                note.extend(word(&visit.client.peer.remote_ip));
                visit.note(note);
            }
            Err(_) => return Verdict::Disconnect(UNREADABLE_CONTROLS),
        }
        Verdict::Pass
    }
}
