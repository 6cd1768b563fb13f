//! What qmail-rspawn is told: a record for each recipient, then one for the message.

use std::net::IpAddr;

use qmail_tls::Session;
use qmail_wire::smtp_client::Reply;

/// All that is written to descriptor 1. It has exactly one verdict, and that is its last record.
#[derive(Debug, PartialEq, Eq)]
pub struct Report(Vec<u8>);

impl Report {
    /// The bytes for qmail-rspawn.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What becomes of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    Later,
    Never,
}

impl Verdict {
    const fn letter(self) -> u8 {
        match self {
            Self::Accepted => b'K',
            Self::Later => b'Z',
            Self::Never => b'D',
        }
    }
}

/// What became of one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Accepted,
    Later,
    Never,
}

/// What the report of a delivery begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Style {
    /// As netqmail has it.
    #[default]
    Classic,
    /// `<From:SENDER To:RECIPIENT> `.
    Addresses,
    /// The same with host, address and TLS.
    Full,
}

/// What a report says of a delivery beside what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) style: Style,
    pub(crate) sender: Vec<u8>,
    /// The first, for what is not about one of them.
    pub(crate) recipient: Vec<u8>,
    pub(crate) host: Vec<u8>,
    pub(crate) peer: IpAddr,
}

/// The records so far, while there is no verdict.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    bytes: Vec<u8>,
    subject: Subject,
    session: Option<Session>,
}

impl Records {
    /// No records yet of a delivery.
    pub(crate) fn new(subject: Subject) -> Self {
        Self { bytes: Vec::new(), subject, session: None }
    }

    /// The same from here on inside TLS.
    pub(crate) fn inside(self, session: Session) -> Self {
        Self { session: Some(session), ..self }
    }

    /// Adds the record of a recipient.
    pub(crate) fn recipient(&mut self, fate: Fate, recipient: &[u8], reply: &Reply) {
        self.bytes.push(match fate {
            Fate::Accepted => b'r',
            Fate::Later => b's',
            Fate::Never => b'h',
        });
        let beginning = self.beginning(recipient);
        self.bytes.extend_from_slice(beginning.as_bytes());
        if fate != Fate::Accepted {
            let line = format!("{} does not like recipient.\n", self.subject.peer);
            self.bytes.extend_from_slice(line.as_bytes());
            self.bytes.extend(said(reply));
        }
        self.bytes.push(0);
    }

    /// Adds the verdict over the message: a line, and what the server said to it.
    pub(crate) fn finish(self, verdict: Verdict, line: &str, reply: Option<&Reply>) -> Report {
        // Where no recipient was spoken of, this record is all there will be in the log.
        let beginning = match (self.subject.style, self.bytes.is_empty()) {
            (Style::Full, true) => self.beginning(&self.subject.recipient),
            _ => String::new(),
        };
        Report(record(self.bytes, verdict, &format!("{beginning}{line}"), reply))
    }

    fn beginning(&self, recipient: &[u8]) -> String {
        let Subject { style, sender, host, peer, .. } = &self.subject;
        let addresses = || format!("<From:{} To:{}", safe(sender), safe(recipient));
        match style {
            Style::Classic => String::new(),
            Style::Addresses => format!("{}> ", addresses()),
            Style::Full => {
                let tls = self.session.map_or("none".to_owned(), |session| {
                    format!("{},{}", session.version, session.cipher)
                });
                format!("{} Host:{} IP:{peer} TLS:{tls}> ", addresses(), safe(host))
            }
        }
    }
}

/// Adds a record to others.
fn record(mut bytes: Vec<u8>, verdict: Verdict, line: &str, reply: Option<&Reply>) -> Vec<u8> {
    bytes.push(verdict.letter());
    bytes.extend_from_slice(line.as_bytes());
    bytes.push(b'\n');
    bytes.extend(reply.map(said).unwrap_or_default());
    bytes.push(0);
    bytes
}

/// A NUL would end the record.
fn said(reply: &Reply) -> Vec<u8> {
    let text = reply.text().iter().map(|byte| if *byte == 0 { b'?' } else { *byte });
    b"Remote host said: ".iter().copied().chain(text).collect()
}

/// Why no server was spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Fewer than three arguments.
    Usage,
    /// The home directory cannot be entered.
    Home,
    /// A control file cannot be read, or makes no sense.
    Controls,
    /// The system has no socket left, say.
    Resources,
    /// The sender would break a line of SMTP.
    BrokenSender,
    /// A recipient would.
    BrokenRecipient,
    /// DNS could not tell.
    NameLater,
    /// There is no such host.
    NoSuchHost(Vec<u8>),
    /// It has exchangers, but none with an address.
    NoExchanger,
    /// We are its best exchanger, but do not know it.
    BestPreference,
    /// Nobody took the connection.
    NoConnection,
    /// The message cannot be read.
    Message,
    /// `control/outgoingip` has a line that is no address.
    OutgoingAddress,
}

impl Failure {
    /// The report that says so.
    pub fn report(&self) -> Report {
        let (verdict, line) = self.verdict();
        Report(record(Vec::new(), verdict, &line, None))
    }

    fn verdict(&self) -> (Verdict, String) {
        let (verdict, line) = match self {
            Self::NoSuchHost(host) => {
                let line =
                    format!("Sorry, I couldn't find any host named {}. (#5.1.2)", safe(host));
                return (Verdict::Never, line);
            }
            Self::Usage => (Verdict::Never, "I (qmail-remote) was invoked improperly. (#5.3.5)"),
            Self::Home => (Verdict::Later, "Unable to switch to home directory. (#4.3.0)"),
            Self::Controls => (Verdict::Later, "Unable to read control files. (#4.3.0)"),
            Self::Resources => {
                (Verdict::Later, "System resources temporarily unavailable. (#4.3.0)")
            }
            Self::BrokenSender => (Verdict::Never, BROKEN_SENDER),
            Self::BrokenRecipient => (Verdict::Never, BROKEN_RECIPIENT),
            Self::NameLater => {
                (Verdict::Later, "Sorry, I couldn't find any host by that name. (#4.1.2)")
            }
            Self::NoExchanger => (Verdict::Never, NO_EXCHANGER),
            Self::BestPreference => (Verdict::Never, BEST_PREFERENCE),
            Self::NoConnection => (Verdict::Later, NO_CONNECTION),
            Self::Message => (Verdict::Later, UNREADABLE_MESSAGE),
            Self::OutgoingAddress => {
                (Verdict::Later, "invalid ipaddr in control/outgoingip (#4.3.0)")
            }
        };
        (verdict, line.to_owned())
    }
}

const BROKEN_SENDER: &str =
    "Sorry, the sender address has a line break or NUL, which SMTP cannot carry. (#5.1.7)";
const BROKEN_RECIPIENT: &str =
    "Sorry, the recipient address has a line break or NUL, which SMTP cannot carry. (#5.1.3)";
const NO_EXCHANGER: &str = "Sorry, I couldn't find a mail exchanger or IP address. (#5.4.4)";
const BEST_PREFERENCE: &str = "Sorry. Although I'm listed as a best-preference MX or A for that host,\n\
     it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)";
const NO_CONNECTION: &str = "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)";
/// Also when a connection was dropped because of it.
pub(crate) const UNREADABLE_MESSAGE: &str = "Unable to read message. (#4.3.0)";
/// The server gets no final dot then.
pub(crate) const PARTIAL_LAST_LINE: &str =
    "SMTP cannot transfer messages with partial final lines. (#5.6.2)";

/// A name from outside, fit for a report.
fn safe(name: &[u8]) -> String {
    name.iter().map(|byte| if matches!(byte, 33..=126) { char::from(*byte) } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_record() {
        let report = Failure::NoSuchHost(b"a\n\xe9\0.example".to_vec()).report();
        let expected = b"DSorry, I couldn't find any host named a???.example. (#5.1.2)\n\0";
        assert_eq!(report.as_bytes(), expected);
        let report = Failure::BestPreference.report();
        assert_eq!(
            report.as_bytes(),
            b"DSorry. Although I'm listed as a best-preference MX or A for that host,\nit isn't in \
              my control/locals file, so I don't treat it as local. (#5.4.6)\n\0"
                .as_slice()
        );
    }

    #[test]
    fn doubt_is_later() {
        for failure in [
            Failure::Home,
            Failure::Controls,
            Failure::Resources,
            Failure::NameLater,
            Failure::NoConnection,
            Failure::Message,
        ] {
            assert_eq!(failure.report().as_bytes().first(), Some(&b'Z'), "{failure:?}");
        }
    }
}
