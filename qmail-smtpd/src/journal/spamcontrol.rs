//! The lines of spamcontrol: `Action::Type::Condition P:proto S:ip:host H:helo F:from T:rcpt`.

use qmail_wire::smtp_server::Reply;

use super::{About, Conclusion, Fate, Journal, reason};
use crate::printable::word;
use crate::transaction::Transaction;
use crate::visit::Visit;

/// Writes such lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spamcontrol;

fn note(visit: &mut Visit, action: &str, sender: &[u8], recipient: &[u8]) {
    let client = &visit.client;
    let protocol = match (&client.protection, &client.authentication) {
        (None, None) => "SMTP",
        (None, Some(_)) => "ESMTPA",
        (Some(_), None) => "ESMTPS",
        (Some(_), Some(_)) => "ESMTPSA",
    };
    // Not in the Received field: RFC 3848 has no such words.
    let mail = if has_own_sender(visit) { "M" } else { "" };
    let start = format!("qmail-smtpd: pid {} {action} P:{protocol}{mail} S:", std::process::id());
    let line = [
        start.as_bytes(),
        &word(&client.peer.remote_ip),
        b":",
        &word(&client.peer.remote_host),
        b" H:",
        &word(client.helo.as_deref().unwrap_or_default()),
        b" F:",
        &word(sender),
        b" T:",
        &word(recipient),
    ]
    .concat();
    visit.note(line);
}

/// `LOCALMFCHECK` has found that the client may name this sender.
fn has_own_sender(visit: &Visit) -> bool {
    visit.transaction.as_ref().is_some_and(|transaction| transaction.is_own_sender)
}

impl Journal for Spamcontrol {
    fn answered(&mut self, visit: &mut Visit, about: About<'_>, reply: &Reply) {
        let recipient = about.recipient();
        let action = match (reply.code() < 400, recipient) {
            (true, None) => return,
            (true, Some(_)) if has_own_sender(visit) => "Accept::ORIG::Local_Sender".to_owned(),
            (true, Some(_)) if visit.transaction.as_ref().is_some_and(|known| known.may_relay) => {
                "Accept::ORIG::Relay_Mailfrom".to_owned()
            }
            (true, Some(_)) if visit.may_relay() => "Accept::SNDR::Relay_Client".to_owned(),
            (true, Some(_)) => "Accept::RCPT::Rcpthosts_Rcptto".to_owned(),
            (false, _) => format!("Reject::{}", reason::of(reply).spamcontrol),
        };
        let sender = about.sender(visit).unwrap_or_default();
        note(visit, &action, &sender, recipient.unwrap_or_default());
    }

    fn concluded(&mut self, visit: &mut Visit, transaction: &Transaction, end: &Conclusion) {
        let action = match end.fate {
            Fate::TooBig => "Reject::DATA::Invalid_Size",
            Fate::Unwanted => "Reject::DATA::Bad_MIME",
            Fate::Rejected => match end.exit_code {
                Some(32) => "Reject::DATA::Virus_Infected",
                Some(34) => "Reject::DATA::MIME_Attach",
                _ => "Reject::DATA::Spam_Message",
            },
            Fate::Accepted | Fate::Looping | Fate::Delayed => return,
        };
        let recipient = transaction.recipients.last().cloned().unwrap_or_default();
        note(visit, action, &transaction.sender, &recipient);
    }
}
