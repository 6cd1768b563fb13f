//! Until the first message: greetings, TLS, and who we are.

use qmail_tls::Session;
use qmail_wire::smtp_client::{Class, Offer, Reply};

use super::{Awaited, Dialogue, Ending, Hello, Step, Without};
use crate::extension::auth::{Exchange, Next};
use crate::extension::starttls;
use crate::report::Verdict;

impl<'e> Dialogue<'e> {
    pub(super) fn greeted(self, reply: &Reply) -> Step<'e> {
        if reply.code() == Some(220) {
            return match self.terms.hello {
                Hello::Extended => self.say_ehlo(),
                Hello::Plain => self.say_helo(),
            };
        }
        let line = self.connected("but greeting failed.");
        let tls = if self.terms.security.is_implicit() { "TLS " } else { "" };
        self.try_next(&format!("{tls}{line}"), Some(reply))
    }

    fn say_ehlo(self) -> Step<'e> {
        let command = [b"EHLO ", self.terms.greeting_name, b"\r\n"].concat();
        self.say(Awaited::Ehlo, command)
    }

    fn say_helo(self) -> Step<'e> {
        let command = [b"HELO ", self.terms.greeting_name, b"\r\n"].concat();
        self.say(Awaited::Helo, command)
    }

    pub(super) fn offered(self, reply: &Reply) -> Step<'e> {
        match reply.code() {
            Some(250) => Self { offer: Offer::parse(reply), ..self }.opened(),
            // RFC 5321 §3.8: the server is about to hang up, and this is what it has to say.
            Some(421) => self.name_refused(reply),
            _ => self.say_helo(),
        }
    }

    pub(super) fn named(self, reply: &Reply) -> Step<'e> {
        match reply.code() {
            Some(250) => Self { offer: Offer::default(), ..self }.opened(),
            _ => self.name_refused(reply),
        }
    }

    fn name_refused(self, reply: &Reply) -> Step<'e> {
        let line = self.connected("but my name was rejected.");
        self.try_next(&line, Some(reply))
    }

    /// The server knows our name, and we know what it can do.
    fn opened(self) -> Step<'e> {
        if self.session.is_some() {
            return self.introduced();
        }
        match self.terms.security.after_offer(self.offer.starttls) {
            starttls::Next::GoOn => self.introduced(),
            starttls::Next::Ask => self.say(Awaited::StartTls, b"STARTTLS\r\n".to_vec()),
            starttls::Next::Leave => {
                let (file, peer) = (self.terms.tls_file, self.terms.peer);
                let line = format!("No TLS achieved while {file} exists; connecting to {peer}.");
                self.try_next(&line, None)
            }
        }
    }

    pub(super) fn tls_answered(self, reply: &Reply) -> Step<'e> {
        if reply.code() == Some(220) {
            return Step::Secure(self);
        }
        if self.terms.security.allows_plain_after_refusal() {
            return self.introduced();
        }
        let (file, peer) = (self.terms.tls_file, self.terms.peer);
        let line = format!("STARTTLS rejected while {file} exists; connecting to {peer}.");
        self.try_next(&line, Some(reply))
    }

    /// What follows once TLS is there. What was said before may have been anybody's.
    pub(crate) fn secured(self, session: Session) -> Step<'e> {
        let records = self.records.inside(session);
        let dialogue = Self { session: Some(session), offer: Offer::default(), records, ..self };
        match dialogue.awaited {
            Awaited::Connection => Step::Listen(dialogue),
            _ => dialogue.say_ehlo(),
        }
    }

    /// What follows if TLS failed for this reason.
    pub(crate) fn insecure(self, reason: &str) -> Ending {
        let line = format!("{reason} to {}.", self.terms.peer);
        let report = self.records.finish(Verdict::Later, &line, None);
        match self.terms.may_go_on_in_clear() {
            true => Ending::Again(Without::Tls, report),
            false => Ending::TryNext(report),
        }
    }

    /// Whoever wants to know who we are is told, or there is no message.
    fn introduced(self) -> Step<'e> {
        let Some(credentials) = self.terms.credentials else { return self.transact() };
        if self.session.is_none() && !self.terms.may_authenticate_in_clear() {
            let line = self.connected("but it has no TLS to authenticate in. (#4.7.0)");
            return self.try_next(&line, None);
        }
        let offered = self.offer.auth.as_deref().unwrap_or_default();
        match Exchange::begin(credentials, offered) {
            Some((exchange, command)) => self.say(Awaited::Auth(exchange), command),
            None => self.try_next("no supported AUTH method found (#4.7.0)", None),
        }
    }

    pub(super) fn auth_answered(self, exchange: Exchange<'e>, reply: &Reply) -> Step<'e> {
        match exchange.answer(reply) {
            Next::Say(exchange, line) => self.say(Awaited::Auth(exchange), line),
            Next::Done => Self { authenticated: true, ..self }.transact(),
            Next::Failed(why) => {
                let line = self.connected(&format!("but {why}."));
                // A password that is wrong here is wrong elsewhere, and too many are noticed.
                match reply.class() {
                    Class::Permanent => self.over(Verdict::Later, &line, Some(reply)),
                    _ => self.try_next(&line, Some(reply)),
                }
            }
        }
    }
}
