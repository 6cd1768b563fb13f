//! STARTTLS (RFC 3207), and TLS before everything else (RFC 8314): what is done by qmail-tlsrelay
//! while we wait, and what follows from it.

use qmail_core::control::Set;
use qmail_core::conversation::Lost;
use qmail_core::tlsrelay::{Carried, TlsRelay, Waiting};
use qmail_wire::command::Command;
use qmail_wire::smtp_server::Reply;
use qmail_wire::tlsrelay::{ClientCertificate, Failure, Secured};

use super::log::note;
use super::replies;
use crate::channel::{Connection, Descriptors};
use crate::client::Protection;
use crate::extension::{Extension, Step};
use crate::replies::UNIMPLEMENTED;
use crate::settings::Settings;
use crate::visit::Visit;

/// The verb, and what it needs.
pub(super) struct Tls {
    relay: TlsRelay,
    /// Mail addresses whose certificates let a client relay.
    relays: Option<Set>,
    /// Who does the next handshake.
    waiting: Option<Waiting>,
}

/// TLS before everything else.
pub(super) struct TlsFirst(Tls);

impl Tls {
    pub(super) fn new(relay: TlsRelay, relays: Option<Set>) -> Self {
        Self { relay, relays, waiting: None }
    }

    /// What follows from a handshake.
    fn protection(&self, secured: &Secured) -> Protection {
        let client = self.judge(secured.client.as_ref());
        Protection {
            version: secured.version.clone().into(),
            cipher: secured.cipher.clone().into(),
            server_name: secured.server_name.clone().map(String::into_bytes),
            client_problem: client.as_ref().err().cloned().flatten(),
            client_name: client.ok(),
        }
    }

    /// The listed address in a certificate that counts, or why there is none.
    fn judge(&self, certificate: Option<&ClientCertificate>) -> Result<Vec<u8>, Option<String>> {
        let mailboxes = match certificate.ok_or(None)? {
            ClientCertificate::Doubtful(problem) => return Err(Some(problem.clone())),
            ClientCertificate::Trusted(mailboxes) => mailboxes,
        };
        if mailboxes.is_empty() {
            return Err(Some("contains no email address".into()));
        }
        let is_listed =
            |mailbox: &[u8]| self.relays.as_ref().is_some_and(|set| set.contains(mailbox));
        let listed = mailboxes.iter().find(|mailbox| is_listed(mailbox)).cloned();
        listed.ok_or_else(|| Some("email address not in my list of tlsclients".into()))
    }
}

impl Extension for Tls {
    fn keywords(&self, visit: &Visit) -> Vec<Vec<u8>> {
        if visit.client.protection.is_some() { Vec::new() } else { vec![b"STARTTLS".to_vec()] }
    }

    fn command(&mut self, visit: &mut Visit, command: &Command) -> Option<Step> {
        if command.verb != b"starttls" {
            return None;
        }
        if visit.client.protection.is_some() {
            return Some(Step::Say(UNIMPLEMENTED));
        }
        if !command.argument.is_empty() {
            return Some(Step::Say(replies::NO_PARAMETERS));
        }
        Some(Step::Protect)
    }

    /// It asks nothing.
    fn answer(&mut self, _visit: &mut Visit, _line: &[u8]) -> Step {
        Step::Say(UNIMPLEMENTED)
    }

    fn prepare(&mut self, visit: &mut Visit, client: Descriptors<'_>) -> Result<Reply, Reply> {
        let report = self.relay.start(client.0, client.1);
        report.notes.iter().for_each(|text| note(visit, &format!("TLS: {text}")));
        self.waiting = Some(report.outcome.map_err(|reason| replies::not_ready(&reason))?);
        Ok(replies::READY)
    }

    fn protect(&mut self, visit: &mut Visit) -> Result<(Carried, Protection), Reply> {
        let report = self.waiting.take().ok_or(UNIMPLEMENTED)?.begin();
        report.notes.iter().for_each(|text| note(visit, &format!("TLS: {text}")));
        let carried = report.outcome.map_err(|failure| {
            let reason = match failure {
                Failure::Gone => "connection closed".into(),
                Failure::Reason(reason) => reason,
            };
            note(visit, &format!("TLS: connection failed: {reason}"));
            replies::failed(&reason)
        })?;
        let protection = self.protection(&carried.secured);
        Ok((carried, protection))
    }
}

impl TlsFirst {
    pub(super) fn new(tls: Tls) -> Self {
        Self(tls)
    }

    /// Gets everything ready for the client at these descriptors.
    ///
    /// # Errors
    /// If there is no TLS: what to say.
    pub(super) fn prepare(
        &mut self,
        visit: &mut Visit,
        client: Descriptors<'_>,
    ) -> Result<(), Reply> {
        // He hears nothing before the handshake.
        self.0.prepare(visit, client).map(|_| ())
    }

    /// Continues inside TLS.
    ///
    /// # Errors
    /// If the client is lost; he has been told why, if he can be told.
    pub(super) fn begin(
        mut self,
        connection: &mut Connection,
        settings: &mut Settings,
    ) -> Result<(), Lost> {
        let protection = connection.protect(|| self.0.protect(&mut settings.visit))?;
        if let Some(name) = &protection.server_name {
            settings.manners.greeting.clone_from(name);
        }
        settings.visit.protect(protection);
        Ok(())
    }
}
