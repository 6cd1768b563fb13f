//! Lists of what is not wanted: `badhelo`, `badmailfrom`, `badrcptto` and their kin, each in one of
//! three languages.

mod rules;
mod spamcontrol;

use std::io;

use qmail_address::host;
use qmail_core::control::{self, Control, ControlError};
use qmail_core::long_list::{Index, LongList};

use super::source::Source;
use super::validrcptto::KnownRecipients;
use super::{Check, Verdict};
use crate::printable::word;
use crate::replies;
use crate::transaction::{Recipient, Transaction};
use crate::visit::Visit;

use rules::Rules;

/// How the lines of a list are to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Addresses, and hosts as `@host`.
    Exact,
    /// Extended regular expressions, found anywhere; `!` before one turns its meaning around.
    Regex,
    /// spamcontrol's: addresses, hosts, prefixes and suffixes with a meaning, and wildmat patterns.
    Wildmat,
}

impl Language {
    /// By its name.
    pub fn named(name: &[u8]) -> Option<Self> {
        match name.trim_ascii() {
            b"exact" => Some(Self::Exact),
            b"regex" => Some(Self::Regex),
            b"wildmat" => Some(Self::Wildmat),
            _ => None,
        }
    }
}

/// What a list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Helo,
    Sender,
    Recipient,
}

/// A list of what is not wanted, asked at each recipient: clients make too much of a refused MAIL.
#[derive(Debug)]
pub(super) struct DenyList {
    subject: Subject,
    language: Language,
    rules: Rules,
    spares_relay_clients: bool,
    shows_pattern: bool,
    decided: Option<Decided>,
}

/// The latest answer, and what it was the answer to.
#[derive(Debug)]
struct Decided {
    text: Vec<u8>,
    /// Some lines are for strangers only, and who was one may have shown who he is.
    may_relay: bool,
    /// The line that hits the text, if any.
    line: Option<Vec<u8>>,
}

/// The lists of what clients call themselves, and of senders.
pub(super) fn of_senders(source: &Source<'_>) -> Result<Vec<Box<dyn Check>>, ControlError> {
    use Language::{Exact, Regex};
    use Subject::{Helo, Sender};
    load(
        source,
        &[
            (&control::BADHELO, Helo, Regex, false),
            (&control::BADHELONORELAY, Helo, Regex, true),
            (&control::BADMAILFROM, Sender, Exact, false),
            (&control::BADMAILFROMNORELAY, Sender, Exact, true),
        ],
    )
}

/// The lists of recipients.
pub(super) fn of_recipients(source: &Source<'_>) -> Result<Vec<Box<dyn Check>>, ControlError> {
    use Language::Regex;
    use Subject::Recipient;
    load(
        source,
        &[
            (&control::BADRCPTTO, Recipient, Regex, false),
            (&control::BADMAILTO, Recipient, Regex, false),
            (&control::BADRCPTTONORELAY, Recipient, Regex, true),
        ],
    )
}

/// A control file, what it is about, its usual language, and whether it spares relay clients.
type Row<'a> = (&'a Control, Subject, Language, bool);

fn load(source: &Source<'_>, rows: &[Row<'_>]) -> Result<Vec<Box<dyn Check>>, ControlError> {
    let mut checks: Vec<Box<dyn Check>> = Vec::new();
    for (control, subject, default, spares_relay_clients) in rows {
        let language = source.language(control.file, *default)?;
        if language == Language::Wildmat {
            checks.extend(of_old_names(source, control)?);
        }
        let index = if language == Language::Regex { Index::Ignored } else { Index::Used };
        let Some(list) = source.list(control, index)? else { continue };
        if !subject.is_switched_off(language, source) {
            checks.push(Box::new(DenyList {
                spares_relay_clients: *spares_relay_clients,
                shows_pattern: source.has("LOGREGEX"),
                ..DenyList::new(*subject, language, list)
            }));
        }
    }
    Ok(checks)
}

/// What spamcontrol 1.x had beside a list: its patterns in a file of their own, and the recipients
/// that there are.
fn of_old_names(
    source: &Source<'_>,
    control: &Control,
) -> Result<Vec<Box<dyn Check>>, ControlError> {
    let patterns = |patterns: &Control, subject: Subject| -> Result<_, ControlError> {
        let list = source.list(patterns, Index::Used)?;
        let list = list.filter(|_| !subject.is_switched_off(Language::Wildmat, source));
        Ok(list.map(|list| -> Box<dyn Check> {
            let shows_pattern = source.has("LOGREGEX");
            let deny = DenyList::new(subject, Language::Wildmat, list);
            Box::new(DenyList { shows_pattern, ..deny })
        }))
    };
    let checks = if control.file == control::BADMAILFROM.file {
        vec![patterns(&control::BADMAILPATTERNS, Subject::Sender)?]
    } else if control.file == control::BADRCPTTO.file {
        let known = source.list(&control::RCPTTO, Index::Used)?;
        let known =
            known.map(|list| -> Box<dyn Check> { Box::new(KnownRecipients::Good(vec![list])) });
        vec![patterns(&control::BADRCPTPATTERNS, Subject::Recipient)?, known]
    } else {
        Vec::new()
    };
    Ok(checks.into_iter().flatten().collect())
}

impl Subject {
    fn is_switched_off(self, language: Language, source: &Source<'_>) -> bool {
        match self {
            Self::Helo if language == Language::Wildmat => !source.has("HELOCHECK"),
            Self::Helo => source.has("NOBADHELO"),
            Self::Sender => source.has("DISABLE_BADMAILFROM"),
            Self::Recipient => false,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Helo => "badhelo",
            Self::Sender => "badmailfrom",
            Self::Recipient => "badrcptto",
        }
    }
}

impl DenyList {
    fn new(subject: Subject, language: Language, list: LongList) -> Self {
        Self {
            subject,
            language,
            rules: Rules::new(list),
            spares_relay_clients: false,
            shows_pattern: false,
            decided: None,
        }
    }

    /// The line that hits `text`, if any.
    fn line_for(&mut self, visit: &mut Visit, text: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let may_relay = visit.may_relay();
        if let Some(decided) = &self.decided
            && decided.text == text
            && decided.may_relay == may_relay
        {
            return Ok(decided.line.clone());
        }
        let line = match self.language {
            Language::Exact => self.rules.exact(&names(self.subject, text))?,
            Language::Regex => self.rules.expression(text, |error| visit.note(error))?,
            Language::Wildmat if self.subject == Subject::Sender => {
                spamcontrol::sender(&self.rules, visit, text)?
            }
            Language::Wildmat => match self.rules.exact(&names(self.subject, text))? {
                None => self.rules.wildmat(text, |_| true)?,
                line => line,
            },
        };
        self.decided = Some(Decided { text: text.to_vec(), may_relay, line: line.clone() });
        Ok(line)
    }

    fn note(&self, visit: &mut Visit, text: &[u8], line: &[u8]) {
        // The original says nothing about its own list.
        if self.language == Language::Exact && !self.shows_pattern {
            return;
        }
        let mut note = format!("qmail-smtpd: {}: <", self.subject.name()).into_bytes();
        note.extend(word(text));
        note.extend_from_slice(b"> at ");
        note.extend(word(&visit.client.peer.remote_ip));
        if self.shows_pattern {
            note.extend_from_slice(b" matches pattern: ");
            note.extend(crate::printable::text(line, 1000));
        }
        visit.note(note);
    }

    fn reply(&self) -> qmail_wire::smtp_server::Reply {
        use Language::{Exact, Regex, Wildmat};
        match (self.subject, self.language) {
            (Subject::Helo, Exact | Regex) => replies::DENIED_HELO,
            (Subject::Helo, Wildmat) => replies::INVALID_HELO,
            (Subject::Sender, Exact | Wildmat) => replies::BAD_SENDER,
            (Subject::Sender, Regex) => replies::DENIED_SENDER,
            (Subject::Recipient, Exact | Wildmat) => replies::BAD_RECIPIENT,
            (Subject::Recipient, Regex) => replies::DENIED_RECIPIENT,
        }
    }
}

/// What a line may say to mean this text.
fn names(subject: Subject, text: &[u8]) -> Vec<Vec<u8>> {
    let mut names = vec![text.to_vec()];
    if subject != Subject::Helo
        && let Some(host) = host(text)
    {
        names.push([b"@", host].concat());
    }
    names
}

impl Check for DenyList {
    fn yields(&self) -> bool {
        self.subject == Subject::Recipient
    }

    /// spamcontrol's `?address`: a sender whom no list and no look-up is to refuse.
    fn sender(&mut self, _visit: &mut Visit, beginning: &mut Transaction) -> Verdict {
        if self.subject == Subject::Sender && self.language == Language::Wildmat {
            match self.rules.exact(&[spamcontrol::voucher(&beginning.sender)]) {
                Ok(found) => beginning.is_vouched_for |= found.is_some(),
                Err(_) => return Verdict::Disconnect(replies::UNREADABLE_CONTROLS),
            }
        }
        Verdict::Pass
    }

    fn recipient(&mut self, visit: &mut Visit, recipient: &mut Recipient) -> Verdict {
        let strangers_only = self.spares_relay_clients || self.reply() == replies::INVALID_HELO;
        if strangers_only && visit.may_relay() {
            return Verdict::Pass;
        }
        let vouched = visit.transaction.as_ref().is_some_and(|known| known.is_vouched_for);
        let text = match self.subject {
            Subject::Helo => visit.client.helo.clone(),
            Subject::Sender => Some(visit.sender().to_vec()).filter(|s| !s.is_empty() && !vouched),
            Subject::Recipient => Some(recipient.address.clone()),
        };
        let Some(text) = text else { return Verdict::Pass };
        match self.line_for(visit, &text) {
            Ok(None) => Verdict::Pass,
            Ok(Some(line)) => {
                self.note(visit, &text, &line);
                Verdict::Refuse(self.reply())
            }
            Err(_) => Verdict::Disconnect(replies::UNREADABLE_CONTROLS),
        }
    }
}

#[cfg(test)]
mod tests;
