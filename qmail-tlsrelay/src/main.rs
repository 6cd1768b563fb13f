//! qmail-tlsrelay: carries a session in plain text over TLS.
//!
//! Started by qmail-popup, which has no TLS of its own since it is root: what strangers send is
//! taken apart here.
//!
//! Runs as:     qmaild
//! Descriptors: 0 and 1, the client; 3 the session, a socket: each side says `+` there when it is
//!              ready, we first; 2 the log
//! Exit codes:  0 the session has ended; 1 it could not begin, or was broken off
#![forbid(unsafe_code)]

use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use qmail_core::complaint::complain;
use qmail_core::home::home;
use qmail_core::log::Line;
use qmail_sys::inherit;
use qmail_tlsrelay::{Sides, relay};

/// How long a client may say nothing, or not listen.
const PATIENCE: Duration = Duration::from_secs(1200);
/// Where the session is.
const PLAIN: u8 = 3;

fn main() -> ExitCode {
    let (Ok(input), Ok(output), Ok(plain)) = (inherit(0), inherit(1), inherit(PLAIN)) else {
        return ExitCode::FAILURE;
    };
    let sides = Sides { input, output, plain: UnixStream::from(plain) };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    match relay(sides, &home(), &variable, now, PATIENCE, &log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure.is_remarkable() {
                log(&failure.to_string());
            }
            ExitCode::FAILURE
        }
    }
}

fn variable(name: &str) -> Option<Vec<u8>> {
    std::env::var_os(name).map(OsStringExt::into_vec)
}

fn log(text: &str) {
    let client = variable("TCPREMOTEIP").unwrap_or_else(|| b"unknown".to_vec());
    let line = Line::new("qmail-tlsrelay: pid ").number(std::process::id().into()).text(" ");
    let line = line.safe(&client).text(": ").text(text).end();
    complain(&line);
}
