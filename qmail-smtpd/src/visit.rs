//! What is known of a client's visit: who he is, what he has said, and what came of it.

use std::mem;
use std::time::Duration;

use crate::client::Client;
use crate::transaction::Transaction;
use crate::variables::Variables;

/// Everything that checks and extensions may look at, and the few things that they may change.
#[derive(Debug)]
pub struct Visit {
    /// Who is at the other end.
    pub client: Client,
    /// The variables that programs started for this client see.
    pub variables: Variables,
    /// The envelope, as far as it is known; `None` before MAIL.
    pub transaction: Option<Transaction>,
    /// Lines, without their ends, that go below the `Received` field of the next message.
    pub fields: Vec<Vec<u8>>,
    /// Recipients refused for good, in all transactions of this connection.
    pub refused_recipients: u64,
    notes: Vec<Vec<u8>>,
    pause: Duration,
}

impl Visit {
    /// A visit that begins.
    pub fn new(client: Client, variables: Variables) -> Self {
        Self {
            client,
            variables,
            transaction: None,
            fields: Vec::new(),
            refused_recipients: 0,
            notes: Vec::new(),
            pause: Duration::ZERO,
        }
    }

    /// Whether mail may go anywhere: the client is ours, the user has said who he is, or the sender
    /// of this transaction is trusted.
    pub fn may_relay(&self) -> bool {
        self.client.may_relay()
            || self.transaction.as_ref().is_some_and(|transaction| transaction.may_relay)
    }

    /// The sender of this transaction.
    pub fn sender(&self) -> &[u8] {
        self.transaction.as_ref().map_or(&[], |transaction| &transaction.sender)
    }

    /// How many recipients this transaction has.
    pub fn accepted_recipients(&self) -> usize {
        self.transaction.as_ref().map_or(0, |transaction| transaction.recipients.len())
    }

    /// Writes a line to the log, without its end.
    pub fn note(&mut self, line: impl Into<Vec<u8>>) {
        self.notes.push(line.into());
    }

    /// Lets the client wait for the next reply.
    pub fn pause(&mut self, time: Duration) {
        self.pause = self.pause.saturating_add(time);
    }

    /// The lines for the log since it was asked for them last.
    pub fn take_notes(&mut self) -> Vec<Vec<u8>> {
        mem::take(&mut self.notes)
    }

    /// How long the next reply is to wait.
    pub fn take_pause(&mut self) -> Duration {
        mem::take(&mut self.pause)
    }
}
