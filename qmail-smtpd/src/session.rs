//! The session: a line goes in, what to do comes out. It does no input or output of its own, but
//! the checks and extensions that it asks may.

mod parameters;

use std::net::Ipv4Addr;

use qmail_core::tlsrelay::Carried;
use qmail_wire::command::Command;
use qmail_wire::smtp_server::{Reply, address_literal, path};

use crate::channel::Descriptors;
use crate::checks::{Check, Verdict, ask};
use crate::client::{Authentication, Protection};
use crate::elaborate::elaborate;
use crate::extension::{Extension, Step};
use crate::journal::{About, Conclusion, End, Journal};
use crate::replies;
use crate::transaction::{Recipient, Transaction};
use crate::visit::Visit;

/// The longest address that is taken, in bytes.
const LONGEST_ADDRESS: usize = 899;
/// More than any client needs in one transaction; it bounds what a session remembers.
const MOST_RECIPIENTS: usize = 50_000;

/// What to do after a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Say this, and go on.
    Say(Reply),
    /// Take the message of this transaction.
    Receive(Transaction),
    /// [Prepare](Session::prepare), say what that says, then [protect](Session::protect) the
    /// connection.
    Protect,
    /// Say this and end well: the client has said goodbye.
    Quit(Reply),
    /// Say this and end.
    Disconnect(Reply),
    /// End without a word.
    HangUp,
}

/// How the session speaks.
pub struct Manners {
    /// What we call ourselves.
    pub greeting: Vec<u8>,
    /// What stands for an address of ours in mail addresses.
    pub literal_host: Option<LiteralHost>,
    /// Bytes of the largest message; `None` for any number.
    pub largest_message: Option<u64>,
    /// What is said to HELP.
    pub help: Reply,
    /// What is said to a command that we do not know.
    pub unknown: Reply,
}

/// What stands for an address literal that means this host.
pub struct LiteralHost {
    /// The name.
    pub name: Vec<u8>,
    /// Whether an address is one of this host, or what to say if that cannot be found out.
    pub is_local: Box<dyn Fn(Ipv4Addr) -> Result<bool, Reply>>,
}

/// Everything that is remembered from one line to the next.
pub(crate) struct Session {
    manners: Manners,
    visit: Visit,
    checks: Vec<Box<dyn Check>>,
    extensions: Vec<Box<dyn Extension>>,
    journals: Vec<Box<dyn Journal>>,
    /// Which of the extensions has asked the client something, and which is to act next.
    engaged: Option<usize>,
}

impl Session {
    /// A session at its beginning.
    pub(crate) fn new(
        manners: Manners,
        visit: Visit,
        checks: Vec<Box<dyn Check>>,
        extensions: Vec<Box<dyn Extension>>,
        journals: Vec<Box<dyn Journal>>,
    ) -> Self {
        Self { manners, visit, checks, extensions, journals, engaged: None }
    }

    /// What is known of the client.
    pub(crate) fn visit(&mut self) -> &mut Visit {
        &mut self.visit
    }

    /// What is said first, if anything.
    pub(crate) fn greet(&mut self) -> Option<Action> {
        let visit = &mut self.visit;
        let greeting = [&self.manners.greeting, b" ESMTP".as_slice()].concat();
        match objection(ask(&mut self.checks, |check| check.connected(visit))) {
            Ok(()) => Some(Action::Say(Reply::with_text(220, greeting))),
            Err(Action::Say(reply)) if reply.is_silence() => None,
            Err(action) => Some(action),
        }
    }

    /// Decides what a line means.
    pub(crate) fn handle(&mut self, line: &[u8]) -> Action {
        if let Some(number) = self.engaged.take() {
            return self.answer(number, line);
        }
        let command = Command::parse(line);
        let argument = command.argument.as_slice();
        match command.verb.as_slice() {
            b"helo" => self.hello(argument, false).unwrap_or_else(|action| action),
            b"ehlo" => self.hello(argument, true).unwrap_or_else(|action| action),
            b"mail" => self.mail(argument),
            b"rcpt" => self.rcpt(argument),
            b"data" => self.data().unwrap_or_else(|action| action),
            b"rset" => {
                self.reset();
                Action::Say(replies::FLUSHED)
            }
            b"noop" => Action::Say(replies::OK),
            b"vrfy" => Action::Say(replies::VERIFY),
            b"help" => Action::Say(self.manners.help.clone()),
            b"quit" => Action::Quit(Reply::with_text(221, self.manners.greeting.clone())),
            _ => self.extended(&command),
        }
    }

    /// A line was too long to be looked at: whoever waited for it waits no more.
    pub(crate) fn line_too_long(&mut self) -> Action {
        self.engaged = None;
        Action::Say(replies::LINE_TOO_LONG)
    }

    /// After [`Action::Protect`]: makes ready what protects this client. Returns what he is told
    /// before it begins.
    ///
    /// # Errors
    /// If the connection stays as it is: what to say then.
    pub(crate) fn prepare(&mut self, client: Descriptors<'_>) -> Result<Reply, Reply> {
        let number = self.engaged.take().ok_or(replies::UNIMPLEMENTED)?;
        let extension = self.extensions.get_mut(number).ok_or(replies::UNIMPLEMENTED)?;
        let reply = extension.prepare(&mut self.visit, client)?;
        self.engaged = Some(number);
        Ok(reply)
    }

    /// After [`Self::prepare`]: begins.
    ///
    /// # Errors
    /// If client and server cannot agree: what to say, in the clear. The connection is lost then.
    pub(crate) fn protect(&mut self) -> Result<(Carried, Protection), Reply> {
        let number = self.engaged.take().ok_or(replies::UNIMPLEMENTED)?;
        let extension = self.extensions.get_mut(number).ok_or(replies::UNIMPLEMENTED)?;
        extension.protect(&mut self.visit)
    }

    /// The connection is protected from now on.
    pub(crate) fn protected(&mut self, protection: Protection) {
        self.reset();
        if let Some(name) = &protection.server_name {
            self.manners.greeting.clone_from(name);
        }
        self.visit.protect(protection);
    }

    /// A message came to its end, and with it the transaction.
    pub(crate) fn concluded(&mut self, transaction: &Transaction, end: &Conclusion) {
        for journal in &mut self.journals {
            journal.concluded(&mut self.visit, transaction, end);
        }
        self.reset();
    }

    /// The session came to an end that the client did not ask for.
    pub(crate) fn ended(&mut self, end: End) {
        for journal in &mut self.journals {
            journal.ended(&mut self.visit, end);
        }
    }

    /// There is no transaction any more.
    pub(crate) fn reset(&mut self) {
        self.visit.transaction = None;
        self.visit.fields.clear();
        for check in &mut self.checks {
            check.reset(&mut self.visit);
        }
    }

    fn hello(&mut self, name: &[u8], is_extended: bool) -> Result<Action, Action> {
        self.reset();
        let visit = &mut self.visit;
        objection(ask(&mut self.checks, |check| check.hello(visit, name)))?;
        visit.client.helo = Some(name.to_vec());
        let mut lines = vec![self.manners.greeting.clone()];
        if is_extended {
            lines.extend([b"PIPELINING".to_vec(), b"8BITMIME".to_vec()]);
            lines.extend(self.extensions.iter().flat_map(|extension| extension.keywords(visit)));
            let limit = self.manners.largest_message;
            lines.extend(limit.map(|limit| format!("SIZE {limit}").into_bytes()));
        }
        Ok(Action::Say(Reply::with_text(250, lines.join(&b'\n'))))
    }

    fn mail(&mut self, argument: &[u8]) -> Action {
        let sender = match self.address(argument) {
            Ok(sender) => sender,
            Err(action) => return self.answered(About::Sender(None), action),
        };
        let mut beginning = Transaction::from(sender.as_slice());
        beginning.declared_size = parameters::size(argument);
        let action = self.begin(beginning).unwrap_or_else(|action| action);
        self.answered(About::Sender(Some(&sender)), action)
    }

    fn begin(&mut self, mut beginning: Transaction) -> Result<Action, Action> {
        if beginning.declared_size > self.manners.largest_message
            && self.manners.largest_message.is_some()
        {
            return Err(Action::Say(replies::TOO_LARGE));
        }
        let visit = &mut self.visit;
        let verdict = ask(&mut self.checks, |check| check.sender(visit, &mut beginning));
        beginning.is_vouched_for |= verdict == Verdict::Vouch;
        objection(verdict)?;
        self.visit.transaction = Some(beginning);
        Ok(Action::Say(replies::OK))
    }

    fn rcpt(&mut self, argument: &[u8]) -> Action {
        if self.visit.transaction.is_none() {
            return Action::Say(replies::WANT_MAIL);
        }
        let mut recipient = match self.address(argument) {
            Ok(address) => Recipient::new(address),
            Err(action) => return action,
        };
        let action = match self.add(&mut recipient) {
            Ok(()) => Action::Say(replies::OK),
            Err(Action::Say(reply)) => self.refuse(&recipient, reply),
            Err(action) => action,
        };
        self.answered(About::Recipient(&recipient.address), action)
    }

    /// Lets the journals know what a sender or recipient was told, and puts the administrator's
    /// words into it.
    fn answered(&mut self, about: About<'_>, action: Action) -> Action {
        if let Action::Say(reply) | Action::Disconnect(reply) = &action {
            for journal in &mut self.journals {
                journal.answered(&mut self.visit, about, reply);
            }
        }
        match action {
            Action::Say(reply) => Action::Say(elaborate(reply, &self.visit.variables)),
            action => action,
        }
    }

    fn add(&mut self, recipient: &mut Recipient) -> Result<(), Action> {
        let visit = &mut self.visit;
        if visit.accepted_recipients() >= MOST_RECIPIENTS {
            return Err(Action::Say(replies::TOO_MANY_RECIPIENTS));
        }
        objection(ask(&mut self.checks, |check| check.recipient(visit, recipient)))?;
        objection(ask(&mut self.checks, |check| check.accepted(visit, recipient)))?;
        let mut address = recipient.address.clone();
        address.extend_from_slice(visit.client.relay.as_deref().unwrap_or_default());
        if let Some(transaction) = &mut visit.transaction {
            transaction.recipients.push(address);
        }
        Ok(())
    }

    fn refuse(&mut self, recipient: &Recipient, reply: Reply) -> Action {
        let visit = &mut self.visit;
        if reply.is_permanent() {
            visit.refused_recipients = visit.refused_recipients.saturating_add(1);
        }
        let verdict = ask(&mut self.checks, |check| check.refused(visit, recipient, &reply));
        objection(verdict).err().unwrap_or(Action::Say(reply))
    }

    fn data(&mut self) -> Result<Action, Action> {
        let visit = &mut self.visit;
        match &visit.transaction {
            None => return Err(Action::Say(replies::WANT_MAIL)),
            Some(transaction) if transaction.recipients.is_empty() => {
                return Err(Action::Say(replies::WANT_RCPT));
            }
            Some(_) => {}
        }
        objection(ask(&mut self.checks, |check| check.data(visit)))?;
        let transaction = visit.transaction.take().unwrap_or_default();
        Ok(Action::Receive(transaction))
    }

    fn extended(&mut self, command: &Command) -> Action {
        for number in 0..self.extensions.len() {
            let Some(extension) = self.extensions.get_mut(number) else { break };
            if let Some(step) = extension.command(&mut self.visit, command) {
                return self.take(number, step);
            }
        }
        Action::Say(self.manners.unknown.clone())
    }

    fn answer(&mut self, number: usize, line: &[u8]) -> Action {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match self.extensions.get_mut(number) {
            Some(extension) => {
                let step = extension.answer(&mut self.visit, line);
                self.take(number, step)
            }
            None => Action::Say(replies::SYNTAX),
        }
    }

    fn take(&mut self, number: usize, step: Step) -> Action {
        match step {
            Step::Say(reply) => Action::Say(reply),
            Step::Disconnect(reply) => Action::Disconnect(reply),
            Step::Ask(reply) => {
                self.engaged = Some(number);
                Action::Say(reply)
            }
            Step::Protect => {
                self.engaged = Some(number);
                Action::Protect
            }
            Step::Authenticated(user, reply) => self.believe(user, reply),
        }
    }

    fn believe(&mut self, user: Authentication, reply: Reply) -> Action {
        let visit = &mut self.visit;
        visit.hear(&user);
        match objection(ask(&mut self.checks, |check| check.authenticated(visit, &user))) {
            Ok(()) => {
                self.visit.believe(user);
                Action::Say(reply)
            }
            Err(action) => {
                self.visit.forget_user();
                action
            }
        }
    }

    fn address(&self, argument: &[u8]) -> Result<Vec<u8>, Action> {
        let address = path(argument);
        let address = match &self.manners.literal_host {
            Some(host) => host.stand_in(address).map_err(Action::Disconnect)?,
            None => address,
        };
        if address.len() > LONGEST_ADDRESS || qmail_address::breaks_lines(&address) {
            return Err(Action::Say(replies::SYNTAX));
        }
        Ok(address)
    }
}

impl LiteralHost {
    /// `joe@host` for `joe@[1.2.3.4]` if that address is ours.
    fn stand_in(&self, mut address: Vec<u8>) -> Result<Vec<u8>, Reply> {
        if let Some(literal) = address_literal(&address)
            && (self.is_local)(literal)?
            && let Some(host) = qmail_address::host(&address)
        {
            address.truncate(address.len() - host.len());
            address.extend_from_slice(&self.name);
        }
        Ok(address)
    }
}

fn objection(verdict: Verdict) -> Result<(), Action> {
    match verdict {
        Verdict::Pass | Verdict::Vouch => Ok(()),
        Verdict::Refuse(reply) => Err(Action::Say(reply)),
        Verdict::Disconnect(reply) => Err(Action::Disconnect(reply)),
        Verdict::HangUp => Err(Action::HangUp),
    }
}

#[cfg(test)]
mod tests;
