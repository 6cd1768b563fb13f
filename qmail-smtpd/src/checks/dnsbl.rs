//! DNS lists of clients: `dnsbllist`, in the words of rblsmtpd, asked when the first recipient has
//! passed everything else, so that users who have shown who they are are never looked up.

mod entry;

use std::net::IpAddr;

use qmail_dns::listing::{is_listing, reversed};
use qmail_wire::smtp_server::Reply;

use super::{Check, Verdict};
use crate::dns::{Answer, Dns};
use crate::printable::{text, word};
use crate::transaction::Recipient;
use crate::visit::Visit;

pub(super) use entry::Entry;
use entry::Kind;

/// As much as a list may say.
const LONGEST_TEXT: usize = 200;

/// Asks the lists once in a session.
pub(super) struct BlockLists {
    pub(super) entries: Vec<Entry>,
    pub(super) dns: Box<dyn Dns>,
    /// Refuses for now if a list cannot be asked.
    pub(super) fails_closed: bool,
    /// The value of `$RBLSMTPD`: somebody has decided already.
    pub(super) decided: Option<Vec<u8>>,
    pub(super) verdict: Option<Outcome>,
}

/// What became of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// On no list.
    Pass,
    /// On a list of those who are welcome.
    Accept,
    /// Listed, and perhaps not for long.
    Delay(Vec<u8>),
    /// Listed.
    Reject(Vec<u8>),
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Accept => "accept",
            Self::Delay(_) => "delay",
            Self::Reject(_) => "reject",
        }
    }

    /// The code of the reply, if it is a refusal.
    fn code(&self) -> Option<u16> {
        match self {
            Self::Pass | Self::Accept => None,
            Self::Delay(_) => Some(451),
            Self::Reject(_) => Some(553),
        }
    }

    fn verdict(&self) -> Verdict {
        let reply = |code, said: &[u8]| Reply::with_text(code, text(said, LONGEST_TEXT));
        match self {
            Self::Pass | Self::Accept => Verdict::Pass,
            Self::Delay(said) => Verdict::Disconnect(reply(451, said)),
            Self::Reject(said) => Verdict::Refuse(reply(553, said)),
        }
    }
}

impl BlockLists {
    fn decide(&self, visit: &mut Visit) -> Outcome {
        match self.decided.as_deref() {
            Some([]) => return Outcome::Accept,
            // A remark of rblsmtpd -I, for a header field: see `told`.
            Some([b'[', ..]) => {}
            Some([b'-', said @ ..]) => return Outcome::Reject(said.to_vec()),
            Some(said) => return Outcome::Delay(said.to_vec()),
            None => {}
        }
        let shown = String::from_utf8_lossy(&visit.client.peer.remote_ip).into_owned();
        let Ok(address) = shown.parse::<IpAddr>() else { return Outcome::Pass };
        let mut is_doubtful = false;
        for entry in &self.entries {
            let query = [reversed(address), b".".to_vec(), entry.zone.clone()].concat();
            let (found, said) = match self.ask(entry, &query, &shown) {
                Answer::Yes(said) => (entry.outcome(&said, is_doubtful), said),
                Answer::No => continue,
                Answer::Unknown => {
                    note(visit, &query, "dnserr", b"");
                    is_doubtful = true;
                    if self.fails_closed && entry.kind != Kind::Log {
                        return Outcome::Delay(b"temporary RBL lookup error".to_vec());
                    }
                    continue;
                }
            };
            let result = found.as_ref().map_or("ignore", Outcome::word);
            note(visit, &query, result, &said);
            if let Some(code) = found.as_ref().and_then(Outcome::code) {
                note_refusal(visit, code, &entry.zone);
            }
            match found {
                Some(found) => return found,
                // Only logged: the variable says so if nothing else is found.
                None => visit.variables.set("RBLRESULT", b"ignore"),
            }
        }
        Outcome::Pass
    }

    /// What a list says about the client, if anything.
    fn ask(&self, entry: &Entry, query: &[u8], address: &str) -> Answer<Vec<u8>> {
        if entry.kind != Kind::Allow && entry.message.is_none() {
            return match self.dns.texts(query) {
                Answer::Yes(texts) => Answer::Yes(texts.into_iter().next().unwrap_or_default()),
                Answer::No => Answer::No,
                Answer::Unknown => Answer::Unknown,
            };
        }
        match self.dns.ipv4(query) {
            Answer::Yes(found) => match is_listing(&found) {
                Some(true) => Answer::Yes(entry.said_about(address)),
                Some(false) => Answer::No,
                None => Answer::Unknown,
            },
            Answer::No => Answer::No,
            Answer::Unknown => Answer::Unknown,
        }
    }
}

/// The line that Debian's fail2ban knows.
fn note_refusal(visit: &mut Visit, code: u16, zone: &[u8]) {
    let start = format!("qmail-smtpd: {code} badiprbl: ip ");
    let line =
        [start.as_bytes(), &word(&visit.client.peer.remote_ip), b" rbl: ", &word(zone)].concat();
    visit.note(line);
}

fn note(visit: &mut Visit, query: &[u8], result: &str, said: &[u8]) {
    let mut line = format!("qmail-smtpd[{}]: rbl: ip=", std::process::id()).into_bytes();
    line.extend(word(&visit.client.peer.remote_ip));
    line.extend_from_slice(b" query=");
    line.extend(word(query));
    line.extend_from_slice(format!(" result={result} message='").as_bytes());
    line.extend(text(said, LONGEST_TEXT));
    line.push(b'\'');
    visit.note(line);
}

impl Check for BlockLists {
    fn recipient(&mut self, visit: &mut Visit, _recipient: &mut Recipient) -> Verdict {
        if visit.may_relay() {
            return Verdict::Pass;
        }
        if let Some(outcome) = &self.verdict {
            return outcome.verdict();
        }
        let outcome = self.decide(visit);
        if outcome != Outcome::Pass || !visit.variables.has("RBLRESULT") {
            visit.variables.set("RBLRESULT", outcome.word().as_bytes());
        }
        let verdict = outcome.verdict();
        self.verdict = Some(outcome);
        verdict
    }
}

#[cfg(test)]
mod tests;
