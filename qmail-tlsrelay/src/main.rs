//! qmail-tlsrelay: carries a session in plain text over TLS.
//!
//! Started by qmail-smtpd and qmail-popup when a client asks for TLS. They know nothing of it: what
//! strangers send is taken apart here, where there is neither a queue nor a password nor root.
//!
//! Usage:       qmail-tlsrelay [-c] [-t SECONDS]
//! Runs as:     qmaild
//! Descriptors: 0 and 1, the client; 3 the session, a socket, where reports go before the plain
//!              text: see `qmail_wire::tlsrelay`
//! Exit codes:  0 the session has ended; 1 it could not begin, or was broken off; 100 wrong usage
#![forbid(unsafe_code)]

use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use qmail_core::control::leading_number;
use qmail_core::home::home;
use qmail_core::options::{Given, Options};
use qmail_sys::inherit;
use qmail_tlsrelay::{Order, Sides, relay};

/// How long a client may say nothing in the handshake, or not listen, if nobody says otherwise.
const PATIENCE: Duration = Duration::from_secs(1200);
/// Where the session is.
const PLAIN: u8 = 3;
/// What it exits with if its arguments make no sense.
const USAGE: u8 = 100;

fn main() -> ExitCode {
    let Some((asks_clients, patience)) = arguments() else { return ExitCode::from(USAGE) };
    let (Ok(input), Ok(output), Ok(plain)) = (inherit(0), inherit(1), inherit(PLAIN)) else {
        return ExitCode::FAILURE;
    };
    let sides = Sides { input, output, plain: UnixStream::from(plain) };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let home = home();
    let order = Order { home: &home, variable: &variable, asks_clients, patience, now };
    match relay(sides, &order) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Whether clients are asked for a certificate, and how long we wait for them.
fn arguments() -> Option<(bool, Duration)> {
    let mut options = Options::new(b"ct:", std::env::args_os());
    let (mut asks_clients, mut patience) = (false, PATIENCE);
    while let Some(given) = options.next_option().ok()? {
        match given {
            Given::Argument(_, seconds) => {
                patience = Duration::from_secs(leading_number(&seconds)?);
            }
            Given::Letter(_) => asks_clients = true,
        }
    }
    options.operands().is_empty().then_some((asks_clients, patience))
}

fn variable(name: &str) -> Option<Vec<u8>> {
    std::env::var_os(name).map(OsStringExt::into_vec)
}
