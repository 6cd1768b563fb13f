//! What is known of a client's visit: who he is, what he has said, and what came of it.

use std::mem;
use std::time::Duration;

use crate::client::{Authentication, Client, Protection};
use crate::transaction::Transaction;
use crate::variables::Variables;

/// What programs are told of a user.
const USER_VARIABLES: [&str; 7] = [
    "TCPREMOTEINFO",
    "SMTPAUTHUSER",
    "SMTP_AUTH_USER",
    "AUTHUSER",
    "SMTPAUTHMETHOD",
    "AUTHPROTOCOL",
    "RELAYCLIENT",
];

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
    words: Vec<Vec<u8>>,
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
            words: Vec::new(),
            notes: Vec::new(),
            pause: Duration::ZERO,
        }
    }

    /// The user says who he is; nothing follows from that before we [believe](Self::believe) it.
    pub fn hear(&mut self, user: &Authentication) {
        self.variables.set("SMTPAUTHUSER", &user.user);
        self.variables.set("SMTPAUTHMETHOD", user.method.as_bytes());
    }

    /// From now on the user is who he says: programs are told, and he may send to anybody.
    pub fn believe(&mut self, user: Authentication) {
        for name in ["TCPREMOTEINFO", "SMTPAUTHUSER", "SMTP_AUTH_USER", "AUTHUSER"] {
            self.variables.set(name, &user.user);
        }
        for name in ["SMTPAUTHMETHOD", "AUTHPROTOCOL"] {
            self.variables.set(name, user.method.as_bytes());
        }
        if !self.variables.has("RELAYCLIENT") {
            self.variables.set("RELAYCLIENT", b"");
        }
        self.client.peer.remote_info = Some(user.user.clone());
        self.client.authentication = Some(user);
    }

    /// We know nothing of a user any more.
    pub fn forget_user(&mut self) {
        for name in USER_VARIABLES {
            self.variables.restore(name);
        }
        // A certificate may have let the client relay before.
        if let Some(suffix) = &self.client.relay {
            self.variables.set("RELAYCLIENT", suffix);
        }
        self.client.peer.remote_info = self.variables.value("TCPREMOTEINFO");
        self.client.authentication = None;
    }

    /// The connection is protected from now on. RFC 3207 §4.2: what was said before does not count.
    pub fn protect(&mut self, protection: Protection) {
        self.client.helo = None;
        if self.client.authentication.is_some() {
            self.forget_user();
        }
        if protection.client_name.is_some() && self.client.relay.is_none() {
            self.client.relay = Some(Vec::new());
            self.variables.set("RELAYCLIENT", b"");
        }
        self.client.protection = Some(protection);
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

    /// Says a line, codes and all, before the next reply.
    pub fn say(&mut self, line: impl Into<Vec<u8>>) {
        self.words.push(line.into());
    }

    /// Writes a line to the log, without its end.
    pub fn note(&mut self, line: impl Into<Vec<u8>>) {
        self.notes.push(line.into());
    }

    /// Lets the client wait for the next reply.
    pub fn pause(&mut self, time: Duration) {
        self.pause = self.pause.saturating_add(time);
    }

    /// What is to be said before the next reply.
    pub fn take_words(&mut self) -> Vec<Vec<u8>> {
        mem::take(&mut self.words)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn joe() -> Authentication {
        Authentication { user: b"joe".to_vec(), method: "plain" }
    }

    fn protection(client_name: Option<&str>) -> Protection {
        Protection {
            version: Vec::new(),
            cipher: Vec::new(),
            server_name: None,
            client_name: client_name.map(|name| name.as_bytes().to_vec()),
            client_problem: None,
        }
    }

    #[test]
    fn a_user_who_was_known_before_tls_is_not_known_in_it() {
        let ident = |name: &str| (name == "TCPREMOTEINFO").then(|| b"ident".to_vec());
        let client = Client::from_environment(&ident);
        let mut visit = Visit::new(client, Variables::new(Box::new(ident)));
        visit.believe(joe());
        assert!(visit.may_relay() && visit.variables.has("RELAYCLIENT"));
        assert_eq!(visit.client.peer.remote_info.as_deref(), Some(&b"joe"[..]));
        visit.protect(protection(None));
        assert!(!visit.may_relay());
        assert!(USER_VARIABLES[1..].iter().all(|name| !visit.variables.has(name)));
        assert_eq!(visit.client.peer.remote_info.as_deref(), Some(&b"ident"[..]));
    }

    #[test]
    fn a_certificate_that_counts_lets_relay() {
        let mut visit = Visit::new(Client::from_environment(&|_| None), Variables::none());
        visit.protect(protection(None));
        assert!(!visit.may_relay());
        visit.protect(protection(Some("joe@client.example")));
        assert!(visit.may_relay() && visit.variables.has("RELAYCLIENT"));
        visit.hear(&joe());
        visit.forget_user();
        assert!(visit.may_relay() && visit.variables.has("RELAYCLIENT"));
    }
}
