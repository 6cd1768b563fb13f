//! `mfcheck`: the domain of a sender must be one that bounces could be sent to.

use qmail_address::host;

use super::{Check, Verdict};
use crate::dns::{Answer, Dns};
use crate::printable::word;
use crate::replies::{DNS_FAILURE, NO_SENDER_DOMAIN};
use crate::transaction::Transaction;
use crate::visit::Visit;

/// Refuses senders whose domain does not exist.
pub(super) struct SenderDomain {
    dns: Box<dyn Dns>,
    /// 2 logs failures, 3 logs those who pass, too.
    level: u64,
}

impl SenderDomain {
    /// `None` at level 0.
    pub(super) fn new(level: u64, dns: Box<dyn Dns>) -> Option<Self> {
        (level > 0).then_some(Self { dns, level })
    }

    fn answer(&self, sender: &[u8]) -> Answer<()> {
        match host(sender) {
            // A double bounce; a literal needs no look-up.
            _ if sender.is_empty() || sender == b"#@[]" => Answer::Yes(()),
            None => Answer::No,
            Some(host) if host.starts_with(b"[") && host.ends_with(b"]") => Answer::Yes(()),
            Some(host) => self.dns.takes_mail(host),
        }
    }
}

impl Check for SenderDomain {
    fn sender(&mut self, visit: &mut Visit, beginning: &mut Transaction) -> Verdict {
        if beginning.is_vouched_for {
            return Verdict::Pass;
        }
        let (verdict, result, level) = match self.answer(&beginning.sender) {
            Answer::Yes(()) => (Verdict::Pass, "pass", 3),
            Answer::No => (Verdict::Refuse(NO_SENDER_DOMAIN), "no such domain", 2),
            Answer::Unknown => (Verdict::Refuse(DNS_FAILURE), "DNS failure", 2),
        };
        if self.level >= level {
            let mut note = b"qmail-smtpd: mfcheck: <".to_vec();
            note.extend(word(&beginning.sender));
            note.extend_from_slice(b"> at ");
            note.extend(word(&visit.client.peer.remote_ip));
            note.extend_from_slice(b": ");
            note.extend_from_slice(result.as_bytes());
            visit.note(note);
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{FixedDns, visit};

    #[test]
    fn only_a_domain_that_certainly_is_not_there_is_refused_for_good() {
        let dns = FixedDns::new().takes_mail("here.example").unknown("broken.example");
        let mut check = SenderDomain::new(1, Box::new(dns)).unwrap();
        let mut verdict = |sender: &str| check.sender(&mut visit(), &mut Transaction::from(sender));
        for sender in ["", "#@[]", "a@here.example", "a@[192.0.2.1]"] {
            assert_eq!(verdict(sender), Verdict::Pass, "{sender}");
        }
        for sender in ["a", "a@nowhere.example", "a@"] {
            assert_eq!(verdict(sender), Verdict::Refuse(NO_SENDER_DOMAIN), "{sender}");
        }
        assert_eq!(verdict("a@broken.example"), Verdict::Refuse(DNS_FAILURE));
    }

    #[test]
    fn levels_say_what_is_logged() {
        let notes = |level, sender: &str| {
            let dns = FixedDns::new().takes_mail("here.example");
            let mut visit = visit();
            let mut check = SenderDomain::new(level, Box::new(dns)).unwrap();
            check.sender(&mut visit, &mut Transaction::from(sender));
            visit.take_notes().len()
        };
        assert_eq!((notes(1, "a@b"), notes(2, "a@b"), notes(2, "a@here.example")), (0, 1, 0));
        assert_eq!(notes(3, "a@here.example"), 1);
        assert!(SenderDomain::new(0, Box::new(FixedDns::new())).is_none());
    }
}
