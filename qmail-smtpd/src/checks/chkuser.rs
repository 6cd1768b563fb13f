//! chkuser: whether recipients exist here, as qmail-chkuser finds out, and whether senders and
//! recipients are addresses at all.

mod format;
mod limits;
mod service;
#[cfg(test)]
mod tests;

use std::time::Duration;

use qmail_address::host;
use qmail_wire::smtp_server::Reply;

use super::{Check, Source, Verdict, is_not_ours};
use crate::dns::{Answer, Dns, SystemDns};
use crate::printable::word;
use crate::replies;
use crate::transaction::{Recipient, Transaction};
use crate::visit::Visit;

use limits::Limits;
use service::Service;

const DOUBLE_BOUNCE: &[u8] = b"#@[]";

/// Checks recipients, and senders.
pub(super) struct ChkUser {
    service: Service,
    /// Recipients are looked for.
    is_on: bool,
    /// What comes before each address in a question.
    terms: Vec<u8>,
    limits: Limits,
    /// What stands for the client in the log.
    identity: Vec<u8>,
    senders: Demands,
    recipients: Demands,
    /// Nobody but clients that may relay.
    must_authenticate: bool,
    /// `#@[]` needs not be an address.
    takes_double_bounces: bool,
    dns: Box<dyn Dns>,
}

/// What an address must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Demands {
    is_plain: bool,
    takes_mail: bool,
}

impl Demands {
    /// Each is asked for by a variable, unless another one says no.
    fn load(source: &Source<'_>, whose: &str) -> Self {
        let wants = |what: &str| {
            let name = format!("CHKUSER_{whose}_{what}");
            source.has(&name) && !source.has(&format!("{name}_NOCHECK"))
        };
        Self { is_plain: wants("FORMAT"), takes_mail: wants("MX") }
    }

    fn is_any(self) -> bool {
        self.is_plain || self.takes_mail
    }
}

/// What is wrong with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    NotPlain,
    NoDomain,
    Unclear,
}

impl ChkUser {
    /// `None` unless a variable asks for any of it.
    pub(super) fn load(source: &Source<'_>, time: Duration) -> Option<Self> {
        let start = source.variables.value("CHKUSER_START").unwrap_or_default();
        let start = start.to_ascii_uppercase();
        let is_on = matches!(start.as_slice(), b"ALWAYS" | b"DOMAIN");
        let must_authenticate = source.has("CHKUSER_MUSTAUTH");
        if !is_on && !must_authenticate {
            return None;
        }
        let mut terms = Vec::new();
        if let Some(percent) = source.variable_number(&["CHKUSER_MBXQUOTA"]).filter(|n| *n > 0) {
            terms.extend_from_slice(format!("quota {percent}\n").as_bytes());
        }
        if start == b"DOMAIN" {
            terms.extend_from_slice(b"domain\n");
        }
        let socket = source.variables.value("CHKUSER_SOCKET").filter(|path| !path.is_empty());
        let demands = |whose| if is_on { Demands::load(source, whose) } else { Demands::default() };
        Some(Self {
            service: Service {
                home: source.home.to_owned(),
                socket: socket.map(|path| source.path(&path)),
                time,
                line: None,
            },
            is_on,
            terms,
            limits: Limits::new(
                source.variable_number(&["CHKUSER_RCPTLIMIT"]),
                source.variable_number(&["CHKUSER_WRONGRCPTLIMIT"]),
            ),
            identity: source.variables.value("CHKUSER_IDENTIFY").unwrap_or_default(),
            senders: demands("SENDER"),
            recipients: demands("RCPT"),
            must_authenticate,
            takes_double_bounces: source.has("CHKUSER_DOUBLEBOUNCE"),
            dns: Box::new(SystemDns),
        })
    }

    /// Refuses, and lets the client wait the longer the more was refused before.
    fn refuse(&mut self, visit: &mut Visit, reply: Reply) -> Verdict {
        visit.pause(self.limits.next_delay());
        Verdict::Refuse(reply)
    }

    fn refuse_unknown(&mut self, visit: &mut Visit, address: &[u8], reply: Reply) -> Verdict {
        if self.limits.is_one_wrong_too_many() {
            let why = "max number of allowed invalid rcpt";
            self.note_recipient(visit, "intrusion threshold", address, why);
        }
        self.refuse(visit, reply)
    }

    fn fault(&self, demands: Demands, address: &[u8]) -> Option<Fault> {
        if demands.is_plain && !format::is_plain(address) {
            return Some(Fault::NotPlain);
        }
        if !demands.takes_mail {
            return None;
        }
        match self.dns.takes_mail(host(address).unwrap_or_default()) {
            Answer::Yes(()) => None,
            Answer::No => Some(Fault::NoDomain),
            Answer::Unknown => Some(Fault::Unclear),
        }
    }

    /// What the limits say before anybody is asked.
    fn past_limits(&mut self, visit: &mut Visit, address: &[u8]) -> Option<Verdict> {
        if self.limits.is_past() {
            let why = "rcpt ignored, session over intrusion threshold";
            self.note_recipient(visit, "rejected intrusion", address, why);
            return Some(self.refuse(visit, replies::CHKUSER_THRESHOLD));
        }
        if self.limits.is_one_too_many() {
            let why = "max number of allowed rcpt";
            self.note_recipient(visit, "intrusion threshold", address, why);
            self.note_recipient(visit, "rejected rcpt", address, "max number of recipients");
            return Some(self.refuse(visit, replies::CHKUSER_MAXIMUM));
        }
        None
    }

    /// What is wrong with the address as such.
    fn malformed(&mut self, visit: &mut Visit, address: &[u8], is_ours: bool) -> Option<Verdict> {
        if self.recipients.is_plain && host(address).is_none() {
            let reply = replies::CHKUSER_NO_DOMAIN;
            return Some(self.refuse_unknown(visit, address, reply));
        }
        // Whether there is mail for a domain of ours is not for the DNS to say.
        let takes_mail = self.recipients.takes_mail && !is_ours;
        let fault = self.fault(Demands { takes_mail, ..self.recipients }, address)?;
        let (reply, why) = match fault {
            Fault::NotPlain => (replies::CHKUSER_BAD_RECIPIENT, "invalid rcpt address format"),
            Fault::NoDomain => (replies::CHKUSER_NO_RECIPIENT_MX, "invalid rcpt MX domain"),
            Fault::Unclear => (replies::CHKUSER_DNS_FAILURE, "temporary DNS problem"),
        };
        self.note_recipient(visit, "rejected rcpt", address, why);
        Some(self.refuse(visit, reply))
    }

    fn look_up(&mut self, visit: &mut Visit, recipient: &mut Recipient) -> Verdict {
        let address = recipient.address.clone();
        let question = [self.terms.as_slice(), &address].concat();
        match self.service.ask(&question) {
            Ok(b'K') => {
                self.note_recipient(visit, "accepted rcpt", &address, "found existing recipient");
                recipient.is_known = true;
                Verdict::Pass
            }
            Ok(b'R') => Verdict::Pass,
            Ok(b'D') => {
                self.note_recipient(visit, "rejected rcpt", &address, "not existing recipient");
                self.refuse_unknown(visit, &address, replies::CHKUSER_NO_MAILBOX)
            }
            Ok(b'F') => {
                self.note_recipient(visit, "mbx overquota", &address, "rcpt mailbox is overquota");
                self.refuse(visit, replies::CHKUSER_FULL)
            }
            Ok(_) | Err(_) => {
                let why = "no auth resource available";
                self.note_recipient(visit, "no auth resource", &address, why);
                Verdict::Refuse(replies::CHKUSER_LATER)
            }
        }
    }

    fn note_recipient(&self, visit: &mut Visit, title: &str, recipient: &[u8], why: &str) {
        let sender = visit.sender().to_vec();
        self.note(visit, title, &sender, recipient, why);
    }

    /// `CHKUSER TITLE: from <SENDER:USER:CLIENT> remote <HELO:HOST:IP> rcpt <RCPT> : DESCRIPTION`:
    /// the form of chkuser's manual, which logwatch knows.
    fn note(&self, visit: &mut Visit, title: &str, sender: &[u8], recipient: &[u8], why: &str) {
        let client = &visit.client;
        let user = client.authentication.as_ref().map(|user| user.user.clone());
        let user = user.or_else(|| client.peer.remote_info.clone()).unwrap_or_default();
        let helo = client.helo.as_deref().unwrap_or_default();
        let line = [
            format!("CHKUSER {title}: from <").as_bytes(),
            &[word(sender), word(&user), word(&self.identity)].join(&b':'),
            b"> remote <",
            &[word(helo), word(&client.peer.remote_host), word(&client.peer.remote_ip)].join(&b':'),
            b"> rcpt <",
            &word(recipient),
            b"> : ",
            why.as_bytes(),
        ]
        .concat();
        visit.note(line);
    }
}

impl Check for ChkUser {
    fn yields(&self) -> bool {
        true
    }

    fn sender(&mut self, visit: &mut Visit, beginning: &mut Transaction) -> Verdict {
        let sender = beginning.sender.clone();
        // What the visit has is the transaction before this one.
        let may_relay = visit.client.may_relay() || beginning.may_relay;
        if self.must_authenticate && !may_relay {
            let why = "sender not authenticated/authorized";
            self.note(visit, "must auth", &sender, b"", why);
            return self.refuse(visit, replies::CHKUSER_MUST_AUTHENTICATE);
        }
        if !self.senders.is_any() || visit.client.relay.is_some() {
            return Verdict::Pass;
        }
        if sender.is_empty() {
            let why = "accepted null sender always";
            self.note(visit, "accepted sender", &sender, b"", why);
            return Verdict::Pass;
        }
        if self.takes_double_bounces && sender == DOUBLE_BOUNCE {
            let why = "accepted qmail doublebounce #@[]";
            self.note(visit, "accepted doublebounce", &sender, b"", why);
            return Verdict::Pass;
        }
        let (reply, why) = match self.fault(self.senders, &sender) {
            None => {
                self.note(visit, "accepted sender", &sender, b"", "sender accepted");
                return Verdict::Pass;
            }
            Some(Fault::NotPlain) => (replies::CHKUSER_BAD_SENDER, "invalid sender address format"),
            Some(Fault::NoDomain) => (replies::CHKUSER_NO_SENDER_MX, "invalid sender MX domain"),
            Some(Fault::Unclear) => (replies::CHKUSER_DNS_FAILURE, "temporary DNS problem"),
        };
        self.note(visit, "rejected sender", &sender, b"", why);
        self.refuse(visit, reply)
    }

    fn recipient(&mut self, visit: &mut Visit, recipient: &mut Recipient) -> Verdict {
        if !self.is_on {
            return Verdict::Pass;
        }
        let address = recipient.address.clone();
        if visit.client.relay.is_some() {
            let (title, why) = if recipient.is_ours {
                ("accepted any rcpt", "accepted any recipient for any rcpt domain")
            } else {
                ("relaying rcpt", "client allowed to relay")
            };
            self.note_recipient(visit, title, &address, why);
            return Verdict::Pass;
        }
        if let Some(verdict) = self.past_limits(visit, &address) {
            return verdict;
        }
        if let Some(verdict) = self.malformed(visit, &address, recipient.is_ours) {
            return verdict;
        }
        if visit.may_relay() && !recipient.is_ours {
            self.note_recipient(visit, "relaying rcpt", &address, "client allowed to relay");
            return Verdict::Pass;
        }
        if recipient.is_known {
            return Verdict::Pass;
        }
        self.look_up(visit, recipient)
    }

    /// `rcpthosts` refuses strangers before it comes to us; chkuser logs that.
    fn refused(&mut self, visit: &mut Visit, recipient: &Recipient, reply: &Reply) -> Verdict {
        if self.is_on && is_not_ours(reply) {
            let why = "client not allowed to relay";
            self.note_recipient(visit, "rejected relaying", &recipient.address, why);
        }
        Verdict::Pass
    }
}
