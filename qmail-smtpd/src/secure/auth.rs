//! AUTH: RFC 4954.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use qmail_wire::command::Command;
use qmail_wire::sasl::{Claim, Exchange, Mechanism, Request, Step as Sasl};
use qmail_wire::smtp_server::Reply;

use super::arguments::Checker;
use super::log::{note, note_attempt};
use super::policy::Policy;
use super::replies;
use crate::client::Authentication;
use crate::extension::{Extension, Step};
use crate::visit::Visit;

/// What a wrong password costs.
const DELAY: Duration = Duration::from_secs(5);
/// So many wrong passwords are no typing errors.
const MOST_FAILURES: u32 = 3;

/// The verb, and what has come of it.
#[derive(Debug)]
pub(super) struct Auth {
    policy: Policy,
    checker: Checker,
    host: Vec<u8>,
    exchange: Option<Exchange>,
    failures: u32,
}

impl Auth {
    /// Challenges name `host`.
    pub(super) fn new(policy: Policy, checker: Checker, host: Vec<u8>) -> Self {
        Self { policy, checker, host, exchange: None, failures: 0 }
    }

    fn is_secure(&self, visit: &Visit) -> bool {
        visit.client.protection.is_some() || self.policy.tls_outside
    }

    /// The mechanisms that may be used now, with a blank before each.
    fn offered(&self, visit: &Visit) -> String {
        let secure = self.is_secure(visit);
        let all = self.policy.mechanisms.iter();
        let usable = all.filter(|mechanism| self.policy.allows(**mechanism, secure));
        usable.map(|mechanism| format!(" {}", mechanism.name())).collect()
    }

    /// Whether AUTH is possible at all, now.
    fn objection(&self, visit: &mut Visit) -> Option<Reply> {
        if self.checker.says_yes() {
            note(visit, "the AUTH program accepts everybody: not used");
            return Some(replies::NO_AUTH);
        }
        if self.policy.mechanisms.is_empty() {
            return Some(replies::NO_AUTH);
        }
        if visit.client.authentication.is_some() {
            return Some(replies::KNOWN_ALREADY);
        }
        visit.transaction.is_some().then_some(replies::NOT_NOW)
    }

    fn begin(&self, visit: &Visit, argument: &[u8]) -> Result<Sasl, Reply> {
        let mut words = argument.splitn(2, |byte| *byte == b' ');
        let mechanism = words.next().and_then(Mechanism::named);
        let mechanism = mechanism
            .filter(|mechanism| self.policy.mechanisms.contains(mechanism))
            .ok_or(replies::NO_MECHANISM)?;
        if !self.policy.allows(mechanism, self.is_secure(visit)) {
            return Err(replies::AUTH_WANTS_TLS);
        }
        Ok(Exchange::begin(mechanism, &self.challenge(), words.next()))
    }

    /// No other session has this one.
    fn challenge(&self) -> Vec<u8> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let start = format!("<{}.{now}@", std::process::id());
        [start.as_bytes(), &self.host, b">"].concat()
    }

    fn proceed(&mut self, visit: &mut Visit, step: Sasl) -> Step {
        match step {
            Sasl::Ask(exchange, question) => {
                self.exchange = Some(exchange);
                Step::Ask(Reply::with_text(334, question))
            }
            Sasl::Canceled => Step::Say(replies::CANCELED),
            Sasl::Malformed => Step::Say(replies::MALFORMED),
            Sasl::Claimed(claim) => self.judge(visit, &claim),
        }
    }

    fn judge(&mut self, visit: &mut Visit, claim: &Claim) -> Step {
        let request = self.request(claim);
        // Checkers put it into their logs.
        visit.variables.set("SMTPAUTHMETHOD", method(claim.mechanism).as_bytes());
        let verdict = self.checker.accepts(request.as_ref(), &visit.variables);
        visit.variables.restore("SMTPAUTHMETHOD");
        match &verdict {
            Ok(is_right) => note_attempt(visit, claim, *is_right),
            // He may have been right: nobody is to be locked out for it.
            Err(_) => note(visit, "auth: the AUTH program failed"),
        }
        match verdict {
            Ok(true) => {
                let user = claim.user.clone();
                let method = method(claim.mechanism);
                Step::Authenticated(Authentication { user, method }, replies::WELCOME)
            }
            Ok(false) => self.fail(visit),
            Err(reply) => Step::Say(reply),
        }
    }

    fn request(&self, claim: &Claim) -> Request {
        if self.policy.challenge_first && claim.mechanism == Mechanism::CramMd5 {
            claim.request_with_challenge_first()
        } else {
            claim.request()
        }
    }

    fn fail(&mut self, visit: &mut Visit) -> Step {
        self.failures = self.failures.saturating_add(1);
        visit.pause(DELAY);
        if self.failures >= MOST_FAILURES {
            return Step::Disconnect(replies::TOO_MANY_FAILURES);
        }
        Step::Say(replies::WRONG)
    }
}

impl Extension for Auth {
    fn keywords(&self, visit: &Visit) -> Vec<Vec<u8>> {
        let offered = self.offered(visit);
        if offered.is_empty() || self.checker.says_yes() {
            return Vec::new();
        }
        let mut lines = vec![format!("AUTH{offered}").into_bytes()];
        if self.policy.both_forms {
            lines.push(format!("AUTH={}", offered.trim_start()).into_bytes());
        }
        lines
    }

    fn command(&mut self, visit: &mut Visit, command: &Command) -> Option<Step> {
        if command.verb != b"auth" {
            return None;
        }
        if let Some(reply) = self.objection(visit) {
            return Some(Step::Say(reply));
        }
        Some(match self.begin(visit, &command.argument) {
            Ok(step) => self.proceed(visit, step),
            Err(reply) => Step::Say(reply),
        })
    }

    fn answer(&mut self, visit: &mut Visit, line: &[u8]) -> Step {
        match self.exchange.take() {
            Some(exchange) => self.proceed(visit, exchange.answer(line)),
            None => Step::Say(replies::MALFORMED),
        }
    }
}

/// As variables and the log have it.
pub(super) fn method(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::Plain => "plain",
        Mechanism::Login => "login",
        Mechanism::CramMd5 => "cram-md5",
    }
}
