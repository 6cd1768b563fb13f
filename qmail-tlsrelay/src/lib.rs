//! Carries a session in plain text over TLS.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod attentive;
mod failure;
mod prepare;
mod pump;

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use qmail_core::duplex::Duplex;
use qmail_core::timed::Timed;
use qmail_tls::{Accepted, HandshakeError, Server, Stream};
use qmail_wire::tlsrelay::{BEGIN, ClientCertificate, Failure as Failed, Handshake, Secured};

pub use failure::Failure;

use attentive::Attentive;
use prepare::prepare;

type Client = Duplex<Attentive, Timed>;

/// Where both sides are.
#[derive(Debug)]
pub struct Sides {
    /// What the client sends, in TLS.
    pub input: OwnedFd,
    /// Where answers go.
    pub output: OwnedFd,
    /// The session, in plain text: a socket.
    pub plain: UnixStream,
}

/// What is wanted, and where.
pub struct Order<'a> {
    /// The tree.
    pub home: &'a Path,
    /// The environment.
    pub variable: &'a dyn Fn(&str) -> Option<Vec<u8>>,
    /// Whether clients are asked for a certificate, if the tree says whose count.
    pub asks_clients: bool,
    /// How long a client may say nothing in the handshake, and not listen afterwards.
    pub patience: Duration,
    /// Seconds since 1970.
    pub now: u64,
}

/// Serves a connection to its end.
///
/// # Errors
/// If there is no TLS, or the connection does not end as it should.
pub fn relay(sides: Sides, order: &Order<'_>) -> Result<(), Failure> {
    let Sides { input, output, mut plain } = sides;
    let (server, report) = prepare(order);
    plain.write_all(&report.encode()).map_err(Failure::Session)?;
    let server = server.ok_or(Failure::NotReady)?;
    await_begin(&mut plain).map_err(Failure::Session)?;
    let patience = order.patience;
    let session = plain.try_clone().map_err(Failure::Session)?;
    let input = Attentive::new(input, session, patience);
    let client = Duplex::new(input, Timed::writing(output, patience));
    let (stream, report) = shake_hands(server, client);
    plain.write_all(&report.encode()).map_err(Failure::Session)?;
    let mut stream = stream.ok_or(Failure::Handshake)?;
    stream.inner_mut().input_mut().forget_session();
    pump::run(stream, plain)
}

fn await_begin(plain: &mut UnixStream) -> io::Result<()> {
    let mut said = [0; BEGIN.len()];
    plain.read_exact(&mut said)?;
    if said == BEGIN { Ok(()) } else { Err(ErrorKind::InvalidData.into()) }
}

fn shake_hands(server: Server, client: Client) -> (Option<Stream<Client>>, Handshake) {
    match server.accept(client) {
        Ok(accepted) => {
            let (stream, report) = describe(accepted);
            (Some(stream), report)
        }
        Err(error) => {
            let failed = match error {
                HandshakeError::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    Failed::Gone
                }
                error => Failed::Reason(error.to_string()),
            };
            (None, Handshake { notes: Vec::new(), outcome: Err(failed) })
        }
    }
}

fn describe(accepted: Accepted<Client>) -> (Stream<Client>, Handshake) {
    let Accepted { stream, name, client, complaint } = accepted;
    let session = stream.session();
    let client = client.map(|shown| match shown.verified {
        Ok(()) => ClientCertificate::Trusted(shown.mailboxes),
        Err(problem) => ClientCertificate::Doubtful(problem),
    });
    let secured = Secured {
        version: session.version.into(),
        cipher: session.cipher.into(),
        server_name: name,
        client,
    };
    let notes = complaint.iter().map(ToString::to_string).collect();
    (stream, Handshake { notes, outcome: Ok(secured) })
}
