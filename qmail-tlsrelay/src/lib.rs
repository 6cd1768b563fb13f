//! Carries a session in plain text over TLS.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod failure;
mod pump;

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use qmail_core::control::Controls;
use qmail_core::duplex::Duplex;
use qmail_core::timed::Timed;
use qmail_tls::{Ready, TreeServer};

pub use failure::Failure;

/// What is said over the plain side before anything else: by us, that we are able to speak TLS; by
/// the other side, that we may begin.
pub const READY: [u8; 1] = *b"+";

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

/// Serves a connection to its end. `log` is told what the administrator should know.
///
/// # Errors
/// If there is no TLS, or the connection does not end as it should.
pub fn relay(
    mut sides: Sides,
    home: &Path,
    variable: &dyn Fn(&str) -> Option<Vec<u8>>,
    now: u64,
    patience: Duration,
    log: &dyn Fn(&str),
) -> Result<(), Failure> {
    let controls = Controls::open(home).map_err(Failure::Control)?;
    let server = TreeServer::find(&controls, variable).map_err(Failure::Control)?;
    let Ready { server, unknown_ciphers } =
        server.ok_or(Failure::NoCertificate)?.ready(now).map_err(Failure::Unready)?;
    for word in unknown_ciphers {
        log(&format!("tlsserverciphers: no cipher is called {word}"));
    }
    sides.plain.write_all(&READY).map_err(Failure::Plain)?;
    let mut may_begin = READY;
    sides.plain.read_exact(&mut may_begin).map_err(Failure::Plain)?;
    let client = Duplex::new(Timed::new(sides.input, patience), Timed::new(sides.output, patience));
    let accepted = server.accept(client).map_err(Failure::Handshake)?;
    if let Some(complaint) = accepted.complaint {
        log(&complaint.to_string());
    }
    pump::run(accepted.stream, sides.plain, patience)
}
