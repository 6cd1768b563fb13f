//! The lines of Bill Wheeler's patch:
//! `qmail-smtpd: MESSAGE: FROM from IP to RECIPIENT helo HELO`.

use qmail_wire::smtp_server::Reply;

use super::{About, Conclusion, End, Fate, Journal, reason};
use crate::printable::{text, word};
use crate::transaction::Transaction;
use crate::visit::Visit;

/// Writes such lines.
#[derive(Debug, Default)]
pub(crate) struct Wheeler {
    /// The one who was named last, and by whom: while a message comes, the visit has no transaction.
    recipient: Option<Vec<u8>>,
    sender: Option<Vec<u8>>,
}

impl Wheeler {
    fn note(&self, visit: &mut Visit, message: &[u8], sender: Option<&[u8]>) {
        let shown = |value: Option<&[u8]>| value.map_or_else(|| b"(null)".to_vec(), word);
        let line = [
            b"qmail-smtpd: ",
            message,
            b": ",
            &shown(sender),
            b" from ",
            &word(&visit.client.peer.remote_ip),
            b" to ",
            &shown(self.recipient.as_deref()),
            b" helo ",
            &shown(visit.client.helo.as_deref()),
        ]
        .concat();
        visit.note(line);
    }
}

impl Journal for Wheeler {
    fn answered(&mut self, visit: &mut Visit, about: About<'_>, reply: &Reply) {
        let sender = about.sender(visit);
        if let About::Recipient(recipient) = about {
            (self.recipient, self.sender) = (Some(recipient.to_vec()), sender.clone());
        }
        if reply.code() >= 400 {
            self.note(visit, reason::of(reply).wheeler.as_bytes(), sender.as_deref());
        }
    }

    fn concluded(&mut self, visit: &mut Visit, transaction: &Transaction, end: &Conclusion) {
        let because =
            |what: &str| [what.as_bytes(), b" (", &text(end.reply.text(), 300), b")"].concat();
        let message = match end.fate {
            Fate::Accepted => b"message accepted".to_vec(),
            Fate::Looping => b"message looping".to_vec(),
            Fate::TooBig => b"message too big".to_vec(),
            Fate::Unwanted | Fate::Rejected => because("message rejected"),
            Fate::Delayed => because("message delayed"),
        };
        self.note(visit, &message, Some(&transaction.sender));
        (self.recipient, self.sender) = (None, None);
    }

    fn ended(&mut self, visit: &mut Visit, end: End) {
        let message = match end {
            End::ReadFailed => "read failed",
            End::Timeout => "timeout",
            End::BadNewlines => "bad newlines",
        };
        let sender = visit.transaction.as_ref().map(|known| known.sender.clone());
        let sender = sender.or_else(|| self.sender.clone());
        self.note(visit, message.as_bytes(), sender.as_deref());
    }
}
