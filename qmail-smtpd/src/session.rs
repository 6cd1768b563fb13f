//! The session: a command goes in, what to do comes out. It does no input or output of its own,
//! but the checks that it asks may read control files.

use std::net::Ipv4Addr;

use qmail_wire::command::Command;
use qmail_wire::smtp_server::{Reply, address_literal, path};

use crate::checks::{Check, Verdict, ask};
use crate::client::Client;
use crate::replies;

/// The longest address that is taken, in bytes.
const LONGEST_ADDRESS: usize = 899;
/// More than any client needs in one transaction; it bounds what a session remembers.
const MOST_RECIPIENTS: usize = 50_000;

/// What to do after a command.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Say this, and go on.
    Say(Reply),
    /// Take the message of this transaction.
    Receive(Transaction),
    /// Say this and end well: the client has said goodbye.
    Quit(Reply),
    /// Say this and end.
    Disconnect(Reply),
}

/// The envelope, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Where bounces go.
    pub sender: Vec<u8>,
    /// Who gets the message.
    pub recipients: Vec<Vec<u8>>,
}

/// What stands for an address literal that means this host.
pub struct LiteralHost {
    /// The name.
    pub name: Vec<u8>,
    /// Whether an address is one of this host, or what to say if that cannot be found out.
    pub is_local: Box<dyn Fn(Ipv4Addr) -> Result<bool, Reply>>,
}

/// Everything that is remembered from one command to the next.
pub struct Session {
    greeting: Vec<u8>,
    literal_host: Option<LiteralHost>,
    client: Client,
    checks: Vec<Box<dyn Check>>,
    transaction: Option<Transaction>,
}

impl Session {
    /// A session at its beginning.
    pub fn new(
        greeting: Vec<u8>,
        literal_host: Option<LiteralHost>,
        client: Client,
        checks: Vec<Box<dyn Check>>,
    ) -> Self {
        Self { greeting, literal_host, client, checks, transaction: None }
    }

    /// What is said first.
    pub fn greet(&self) -> Reply {
        Reply::with_text(220, [&self.greeting, b" ESMTP".as_slice()].concat())
    }

    /// Who is at the other end.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Decides what a command means.
    pub fn handle(&mut self, command: &Command) -> Action {
        let argument = command.argument.as_slice();
        match command.verb.as_slice() {
            b"helo" => self.hello(argument, ""),
            b"ehlo" => self.hello(argument, "\nPIPELINING\n8BITMIME"),
            b"mail" => self.mail(argument).unwrap_or_else(|action| action),
            b"rcpt" => self.rcpt(argument).unwrap_or_else(|action| action),
            b"data" => self.data(),
            b"rset" => {
                self.transaction = None;
                Action::Say(replies::FLUSHED)
            }
            b"noop" => Action::Say(replies::OK),
            b"vrfy" => Action::Say(replies::VERIFY),
            b"help" => Action::Say(replies::HELP),
            b"quit" => Action::Quit(Reply::with_text(221, self.greeting.clone())),
            _ => Action::Say(replies::UNIMPLEMENTED),
        }
    }

    fn hello(&mut self, name: &[u8], extensions: &str) -> Action {
        self.client.helo = Some(name.to_vec());
        self.transaction = None;
        Action::Say(Reply::with_text(250, [&self.greeting, extensions.as_bytes()].concat()))
    }

    fn mail(&mut self, argument: &[u8]) -> Result<Action, Action> {
        let sender = self.address(argument)?;
        let client = &self.client;
        objection(ask(&mut self.checks, |check| check.sender(client, &sender)))?;
        self.transaction = Some(Transaction { sender, recipients: Vec::new() });
        Ok(Action::Say(replies::OK))
    }

    fn rcpt(&mut self, argument: &[u8]) -> Result<Action, Action> {
        if self.transaction.is_none() {
            return Err(Action::Say(replies::WANT_MAIL));
        }
        let mut recipient = self.address(argument)?;
        let client = &self.client;
        objection(ask(&mut self.checks, |check| check.recipient(client, &recipient)))?;
        recipient.extend_from_slice(client.relay.as_deref().unwrap_or_default());
        match &mut self.transaction {
            Some(transaction) if transaction.recipients.len() < MOST_RECIPIENTS => {
                transaction.recipients.push(recipient);
                Ok(Action::Say(replies::OK))
            }
            _ => Err(Action::Say(replies::TOO_MANY_RECIPIENTS)),
        }
    }

    fn data(&mut self) -> Action {
        match self.transaction.take() {
            None => Action::Say(replies::WANT_MAIL),
            Some(transaction) if transaction.recipients.is_empty() => {
                self.transaction = Some(transaction);
                Action::Say(replies::WANT_RCPT)
            }
            Some(transaction) => Action::Receive(transaction),
        }
    }

    fn address(&self, argument: &[u8]) -> Result<Vec<u8>, Action> {
        let address = path(argument);
        let address = match &self.literal_host {
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
        Verdict::Pass => Ok(()),
        Verdict::Refuse(reply) => Err(Action::Say(reply)),
        Verdict::Disconnect(reply) => Err(Action::Disconnect(reply)),
    }
}

#[cfg(test)]
mod tests;
