//! STARTTLS (RFC 3207), and TLS before everything else (RFC 8314).

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use qmail_core::control::Set;
use qmail_tls::{Accepted, ClientCertificate, Ready, Server, Stream, TreeServer};
use qmail_wire::command::Command;
use qmail_wire::smtp_server::Reply;

use super::log::note;
use super::replies;
use crate::channel::{Connection, Duplex};
use crate::client::Protection;
use crate::extension::{Extension, Step};
use crate::replies::UNIMPLEMENTED;
use crate::settings::Settings;
use crate::visit::Visit;

/// The verb, and what it needs.
pub struct Tls {
    files: TreeServer,
    /// Mail addresses whose certificates let a client relay.
    relays: Set,
    /// What the next handshake is done with.
    server: Option<Server>,
}

/// TLS before everything else.
pub struct TlsFirst(Tls);

impl Tls {
    pub(super) fn new(files: TreeServer, relays: Set) -> Self {
        Self { files, relays, server: None }
    }

    /// Reads the certificates.
    fn prepare(&mut self, visit: &mut Visit) -> Result<(), Reply> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let Ready { server, unknown_ciphers } = self.files.ready(now).map_err(|unready| {
            note(visit, &format!("TLS: {unready}"));
            replies::not_ready(&unready.reason())
        })?;
        for word in unknown_ciphers {
            let word = word.escape_default();
            note(visit, &format!("TLS: tlsserverciphers: no cipher is called {word}"));
        }
        self.server = Some(server);
        Ok(())
    }

    fn shake_hands<'a>(
        &mut self,
        visit: &mut Visit,
        plain: Duplex<'a>,
    ) -> io::Result<(Duplex<'a>, Protection)> {
        let server = self.server.take().ok_or(io::ErrorKind::Unsupported)?;
        let plain = Rc::new(RefCell::new(plain));
        match server.accept(Held(Rc::clone(&plain))) {
            Ok(accepted) => Ok(self.accepted(visit, accepted)),
            Err(error) => {
                note(visit, &format!("TLS: connection failed: {error}"));
                let mut plain = plain.borrow_mut();
                plain.write_all(&replies::failed(&error.to_string()).to_wire())?;
                plain.flush()?;
                Err(io::ErrorKind::ConnectionAborted.into())
            }
        }
    }

    fn accepted<'a>(
        &self,
        visit: &mut Visit,
        accepted: Accepted<Held<'a>>,
    ) -> (Duplex<'a>, Protection) {
        if let Some(complaint) = accepted.complaint {
            note(visit, &format!("TLS: {complaint}"));
        }
        let session = accepted.stream.session();
        let client = self.judge(accepted.client);
        let protection = Protection {
            version: session.version.into(),
            cipher: session.cipher.into(),
            server_name: accepted.name.map(String::into_bytes),
            client_problem: client.as_ref().err().cloned().flatten(),
            client_name: client.ok(),
        };
        (Duplex::shared(Closing(accepted.stream)), protection)
    }

    /// The listed address in a certificate that counts, or why there is none.
    fn judge(&self, certificate: Option<ClientCertificate>) -> Result<Vec<u8>, Option<String>> {
        let ClientCertificate { verified, mailboxes } = certificate.ok_or(None)?;
        verified.map_err(Some)?;
        if mailboxes.is_empty() {
            return Err(Some("contains no email address".into()));
        }
        let mut mailboxes = mailboxes.into_iter();
        let listed = mailboxes.find(|mailbox| self.relays.contains(mailbox));
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
        Some(match self.prepare(visit) {
            Ok(()) => Step::Protect(replies::READY),
            Err(reply) => Step::Say(reply),
        })
    }

    /// It asks nothing.
    fn answer(&mut self, _visit: &mut Visit, _line: &[u8]) -> Step {
        Step::Say(UNIMPLEMENTED)
    }

    fn protect<'a>(
        &mut self,
        visit: &mut Visit,
        plain: Duplex<'a>,
    ) -> io::Result<(Duplex<'a>, Protection)> {
        self.shake_hands(visit, plain)
    }
}

impl TlsFirst {
    pub(super) fn new(tls: Tls) -> Self {
        Self(tls)
    }

    /// Reads the certificates.
    ///
    /// # Errors
    /// If they cannot be used: what to say.
    pub fn prepare(&mut self, visit: &mut Visit) -> Result<(), Reply> {
        self.0.prepare(visit)
    }

    /// Continues inside TLS; `None` if the client is lost.
    pub fn begin<'a>(
        mut self,
        connection: Connection<'a>,
        settings: &mut Settings,
    ) -> Option<Connection<'a>> {
        let visit = &mut settings.visit;
        let replaced = connection.replace(|plain| self.0.shake_hands(visit, plain));
        let (connection, protection) = replaced.ok()?;
        if let Some(name) = &protection.server_name {
            settings.manners.greeting.clone_from(name);
        }
        settings.visit.protect(protection);
        Some(connection)
    }
}

/// The connection below, which can still be spoken over in the clear if there is no TLS.
struct Held<'a>(Rc<RefCell<Duplex<'a>>>);

impl Read for Held<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}

impl Write for Held<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

/// Says at the end that nothing will follow.
struct Closing<'a>(Stream<Held<'a>>);

impl Read for Closing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Closing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        // He may have gone already.
        let _: io::Result<()> = self.0.close();
    }
}
