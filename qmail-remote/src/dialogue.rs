//! The SMTP dialogue, without its socket: a reply in, the next step out.

mod opening;
mod transaction;

use std::net::IpAddr;

use qmail_tls::Session;
use qmail_wire::smtp_client::{Class, Offer, Reply};

use crate::envelope::Envelope;
use crate::extension::auth::{Credentials, Exchange};
use crate::extension::starttls::Security;
use crate::message::Facts;
use crate::report::{Records, Report, Verdict};

/// What is settled before the first word.
#[derive(Clone, Debug)]
pub(crate) struct Terms<'e> {
    /// As we call ourselves.
    pub(crate) greeting_name: &'e [u8],
    pub(crate) envelope: &'e Envelope,
    pub(crate) message: Facts,
    pub(crate) peer: IpAddr,
    pub(crate) hello: Hello,
    pub(crate) security: Security,
    pub(crate) credentials: Option<&'e Credentials>,
    /// Whether the credentials may be said outside TLS.
    pub(crate) clear_credentials: bool,
    /// The file that says that TLS is required, for reports.
    pub(crate) tls_file: &'e str,
}

/// How we greet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hello {
    /// By EHLO, and by HELO if that is not understood.
    Extended,
    /// By HELO: the server hangs up on EHLO.
    Plain,
}

/// A dialogue that waits for a reply.
#[derive(Clone, Debug)]
pub(crate) struct Dialogue<'e> {
    terms: &'e Terms<'e>,
    records: Records,
    offer: Offer,
    session: Option<Session>,
    authenticated: bool,
    /// Commands of the transaction that have been sent: MAIL, a RCPT for each recipient, DATA.
    sent: usize,
    /// Whether a recipient was accepted.
    any_accepted: bool,
    awaited: Awaited<'e>,
}

/// What the next reply answers.
#[derive(Clone, Copy, Debug)]
enum Awaited<'e> {
    Connection,
    Ehlo,
    Helo,
    StartTls,
    Auth(Exchange<'e>),
    /// A command of the transaction, by its number.
    Command(usize),
    /// The message, of which the end may be missing.
    Message,
    /// The message, or what the server got of its end.
    End,
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Step<'e> {
    /// Wait for a reply.
    Listen(Dialogue<'e>),
    /// Send this, then wait for a reply.
    Say(Dialogue<'e>, Vec<u8>),
    /// Go over to TLS.
    Secure(Dialogue<'e>),
    /// Send the message and its end, then wait for a reply.
    SendMessage(Dialogue<'e>),
    /// Say goodbye. This is what became of it.
    Over(Ending),
}

/// What became of a dialogue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The server has judged, or it may have the message: nobody else is asked.
    Final(Report),
    /// It did not let us begin. Another may; if none does, this is the report.
    TryNext(Report),
    /// It may let us begin without this. If not, this is the report.
    Again(Without, Report),
}

/// What did not agree with a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Without {
    Ehlo,
    Tls,
}

/// Why no more can be said, or heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The server hung up.
    Closed,
    /// It was silent for too long, or would not stop talking.
    Unbearable,
}

impl<'e> Dialogue<'e> {
    /// The first step with a server: it speaks first.
    pub(crate) fn begin(terms: &'e Terms<'e>, records: Records) -> Step<'e> {
        let dialogue = Self {
            terms,
            records,
            offer: Offer::default(),
            session: None,
            authenticated: false,
            sent: 0,
            any_accepted: false,
            awaited: Awaited::Connection,
        };
        if terms.security.is_implicit() { Step::Secure(dialogue) } else { Step::Listen(dialogue) }
    }

    /// What follows from a reply.
    pub(crate) fn handle(self, reply: &Reply) -> Step<'e> {
        match self.awaited {
            Awaited::Connection => self.greeted(reply),
            Awaited::Ehlo => self.offered(reply),
            Awaited::Helo => self.named(reply),
            Awaited::StartTls => self.tls_answered(reply),
            Awaited::Auth(exchange) => self.auth_answered(exchange, reply),
            Awaited::Command(number) => self.command_judged(number, reply),
            Awaited::Message | Awaited::End => self.message_judged(reply),
        }
    }

    /// The end of the message is about to be sent: from here on the server may have it.
    pub(crate) fn ending(self) -> Self {
        Self { awaited: Awaited::End, ..self }
    }

    /// The connection broke.
    pub(crate) fn lost(self, how: Lost) -> Ending {
        let duplicate = match self.awaited {
            Awaited::End => "Possible duplicate! ",
            _ => "",
        };
        let peer = self.terms.peer;
        let line = format!("Connected to {peer} but connection died. {duplicate}(#4.4.2)");
        let report = self.records.finish(Verdict::Later, &line, None);
        match self.awaited {
            Awaited::Command(_) | Awaited::Message | Awaited::End => Ending::Final(report),
            // netqmail, which says HELO, would be understood.
            Awaited::Ehlo if how == Lost::Closed && self.session.is_none() => {
                Ending::Again(Without::Ehlo, report)
            }
            Awaited::StartTls if self.terms.may_go_on_in_clear() => {
                Ending::Again(Without::Tls, report)
            }
            _ => Ending::TryNext(report),
        }
    }

    /// The message could not be read to its end, or cannot be sent whole.
    pub(crate) fn unsendable(self, verdict: Verdict, line: &str) -> Ending {
        Ending::Final(self.records.finish(verdict, line, None))
    }

    fn say(self, awaited: Awaited<'e>, command: Vec<u8>) -> Step<'e> {
        Step::Say(Self { awaited, ..self }, command)
    }

    /// The last word of this server.
    fn over(self, verdict: Verdict, line: &str, reply: Option<&Reply>) -> Step<'e> {
        Step::Over(Ending::Final(self.records.finish(verdict, line, reply)))
    }

    /// The server does not let us begin.
    fn try_next(self, line: &str, reply: Option<&Reply>) -> Step<'e> {
        Step::Over(Ending::TryNext(self.records.finish(Verdict::Later, line, reply)))
    }

    fn connected(&self, what: &str) -> String {
        format!("Connected to {} {what}", self.terms.peer)
    }
}

impl Terms<'_> {
    /// Whether there is a sense in going on in plain text when TLS fails.
    fn may_go_on_in_clear(&self) -> bool {
        self.security.allows_plain_after_failure() && self.may_authenticate_in_clear()
    }

    fn may_authenticate_in_clear(&self) -> bool {
        self.credentials.is_none() || self.clear_credentials
    }
}

/// What a reply says against us; `None` if nothing. A reply that nobody understands is no verdict.
fn refusal(reply: &Reply) -> Option<Verdict> {
    match reply.class() {
        Class::Success | Class::Intermediate => None,
        Class::Temporary | Class::Unknown => Some(Verdict::Later),
        Class::Permanent => Some(Verdict::Never),
    }
}

#[cfg(test)]
#[path = "dialogue_tests.rs"]
pub(crate) mod tests;
