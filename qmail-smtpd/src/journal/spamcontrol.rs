//! The lines of spamcontrol: `Action::Type::Condition P:proto S:ip:host H:helo F:from T:rcpt`.

use qmail_wire::smtp_server::Reply;

use super::{Conclusion, Fate, Journal, reason};
use crate::printable::word;
use crate::transaction::Transaction;
use crate::visit::Visit;

/// Writes such lines.
#[derive(Clone, Copy, Debug)]
pub struct Spamcontrol;

fn note(visit: &mut Visit, action: &str, sender: &[u8], recipient: &[u8]) {
    let client = &visit.client;
    let protocol = match (&client.protection, &client.authentication) {
        (None, None) => "SMTP",
        (None, Some(_)) => "ESMTPA",
        (Some(_), None) => "ESMTPS",
        (Some(_), Some(_)) => "ESMTPSA",
    };
    let start = format!("qmail-smtpd: pid {} {action} P:{protocol} S:", std::process::id());
    let line = [
        start.as_bytes(),
        &word(&client.remote_ip),
        b":",
        &word(&client.remote_host),
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

impl Journal for Spamcontrol {
    fn answered(&mut self, visit: &mut Visit, recipient: Option<&[u8]>, reply: &Reply) {
        let action = match (reply.code() < 400, recipient) {
            (true, None) => return,
            (true, Some(_)) if visit.may_relay() => "Accept::SNDR::Relay_Client".to_owned(),
            (true, Some(_)) => "Accept::RCPT::Rcpthosts_Rcptto".to_owned(),
            (false, _) => format!("Reject::{}", reason::of(reply).spamcontrol),
        };
        let sender = visit.sender().to_vec();
        note(visit, &action, &sender, recipient.unwrap_or_default());
    }

    fn concluded(&mut self, visit: &mut Visit, transaction: &Transaction, end: &Conclusion) {
        let action = match end.fate {
            Fate::TooBig => "Reject::DATA::Invalid_Size",
            Fate::Unwanted => "Reject::DATA::Bad_MIME",
            Fate::Rejected => "Reject::DATA::Spam_Message",
            Fate::Accepted | Fate::Looping | Fate::Delayed => return,
        };
        let recipient = transaction.recipients.last().cloned().unwrap_or_default();
        note(visit, action, &transaction.sender, &recipient);
    }
}
