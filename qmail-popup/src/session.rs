//! The session: a command goes in, what to do comes out.

use qmail_wire::command::Command;
use qmail_wire::sasl::{Exchange, Mechanism, Step};

use crate::capabilities::{self, Offer};
use crate::credentials::Credentials;
use crate::policy::{NeedsTls, Policy};
use crate::replies;

/// What to do after a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Say this, and go on.
    Say(&'static str),
    /// Say these lines, and go on.
    List(Vec<u8>),
    /// Ask for another line with this, and give it to [`Session::answer`].
    Ask(Vec<u8>),
    /// Begin TLS.
    StartTls,
    /// Let the subprogram judge, and end.
    LogIn(Credentials),
    /// Say that all is well, and end.
    Quit,
    /// Say this, and end.
    Refuse(&'static str),
}

/// Everything that is remembered from one command to the next.
#[derive(Debug)]
pub(crate) struct Session {
    policy: Policy,
    challenge: Vec<u8>,
    /// Whether TLS can be had.
    offers_tls: bool,
    /// Whether nobody listens.
    secure: bool,
    user: Option<Vec<u8>>,
    exchange: Option<Exchange>,
}

impl Session {
    /// A session at its beginning. The `challenge` is what the client was greeted with.
    pub(crate) fn new(policy: Policy, challenge: &[u8], offers_tls: bool, secure: bool) -> Self {
        let challenge = challenge.to_vec();
        Self { policy, challenge, offers_tls, secure, user: None, exchange: None }
    }

    /// From now on nobody listens. What the client said before may have been said by somebody
    /// else: RFC 2595 §4.
    pub(crate) fn secured(&mut self) {
        self.secure = true;
        self.user = None;
        self.exchange = None;
    }

    /// TLS cannot be had after all.
    pub(crate) fn lost_tls(&mut self) {
        self.offers_tls = false;
    }

    /// Whether the next line is for [`Self::answer`].
    pub(crate) fn awaits_answer(&self) -> bool {
        self.exchange.is_some()
    }

    /// Decides what a command means.
    pub(crate) fn handle(&mut self, command: &Command) -> Action {
        let argument = command.argument.as_slice();
        match command.verb.as_slice() {
            b"user" => self.user(argument),
            b"pass" => self.pass(argument),
            b"apop" => self.apop(argument),
            b"auth" => self.auth(argument),
            b"stls" => self.stls(argument),
            b"capa" => Action::List(capabilities::list(&self.offer())),
            b"noop" => Action::Say(replies::OK),
            b"quit" => Action::Quit,
            _ => Action::Say(replies::WANT_LOGIN),
        }
    }

    /// Decides what a line means that AUTH has asked for; `None`: it was too long.
    pub(crate) fn answer(&mut self, line: Option<&[u8]>) -> Action {
        let exchange = self.exchange.take();
        let line = line.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        match (exchange, line) {
            (Some(exchange), Some(line)) => self.proceed(exchange.answer(line)),
            _ => Action::Say(replies::SYNTAX),
        }
    }

    fn user(&mut self, name: &[u8]) -> Action {
        if let Some(action) = self.objection_to_user() {
            return action;
        }
        if name.is_empty() {
            return Action::Say(replies::SYNTAX);
        }
        self.user = Some(name.to_vec());
        Action::Say(replies::OK)
    }

    fn pass(&self, password: &[u8]) -> Action {
        match &self.user {
            // Who sends this without having been allowed to say USER has told his password anyway.
            None => self.objection_to_user().unwrap_or(Action::Say(replies::WANT_USER)),
            Some(_) if password.is_empty() => Action::Say(replies::SYNTAX),
            Some(name) => Action::LogIn(Credentials::new(name, password)),
        }
    }

    fn objection_to_user(&self) -> Option<Action> {
        if self.wants_tls_first() {
            return Some(Action::Refuse(replies::WANT_TLS));
        }
        (!self.policy.takes_user(self.secure)).then_some(Action::Say(replies::WANT_LOGIN))
    }

    fn wants_tls_first(&self) -> bool {
        self.policy.tls == NeedsTls::Everything && !self.secure
    }

    fn apop(&self, argument: &[u8]) -> Action {
        if self.wants_tls_first() {
            return Action::Refuse(replies::WANT_TLS);
        }
        let space = argument.iter().position(|byte| *byte == b' ');
        match space.and_then(|space| Some((argument.get(..space)?, argument.get(space + 1..)?))) {
            Some((name, digest)) => Action::LogIn(Credentials::new(name, digest)),
            None => Action::Say(replies::SYNTAX),
        }
    }

    fn auth(&mut self, argument: &[u8]) -> Action {
        if !self.policy.auth {
            return Action::Say(replies::WANT_LOGIN);
        }
        if argument.is_empty() {
            return Action::List(capabilities::mechanisms(&self.offer()));
        }
        let mut words = argument.splitn(2, |byte| *byte == b' ');
        let Some(mechanism) = words.next().and_then(Mechanism::named) else {
            return Action::Say(replies::NO_MECHANISM);
        };
        if self.wants_tls_first() {
            return Action::Refuse(replies::WANT_TLS);
        }
        if !self.policy.takes_auth(mechanism.tells_password(), self.secure) {
            return Action::Say(replies::NO_MECHANISM);
        }
        self.proceed(Exchange::begin(mechanism, &self.challenge, words.next()))
    }

    fn proceed(&mut self, step: Step) -> Action {
        match step {
            Step::Ask(exchange, question) => {
                self.exchange = Some(exchange);
                Action::Ask(question)
            }
            Step::Claimed(claim) => Action::LogIn(Credentials::new(&claim.user, &claim.secret)),
            Step::Canceled => Action::Say(replies::CANCELED),
            Step::Malformed => Action::Say(replies::SYNTAX),
        }
    }

    fn stls(&self, argument: &[u8]) -> Action {
        match (self.offers_tls && !self.secure, argument.is_empty()) {
            (true, true) => Action::StartTls,
            (true, false) => Action::Say(replies::SYNTAX),
            (false, _) => Action::Say(replies::NO_TLS),
        }
    }

    fn offer(&self) -> Offer {
        Offer { policy: self.policy, stls: self.offers_tls && !self.secure, secure: self.secure }
    }
}

#[cfg(test)]
mod tests;
