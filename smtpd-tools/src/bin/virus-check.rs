//! virus-check: a filter that asks clamd about a message.
//!
//! Runs as:     who runs hi-q
//! Descriptors: 0 message, 1 the same
//! Exit codes:  0 passed on; 1 refused; 71 clamd could not be asked
#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use qmail_sys::Exit;
use smtpd_tools::scan::{pass_on, scan};
use smtpd_tools::spool;

/// Its arguments are for clamdscan.
fn main() -> ExitCode {
    match run(env::args_os().skip(1).collect()) {
        Ok(code) => ExitCode::from(code),
        Err(_) => ExitCode::from(71),
    }
}

fn run(arguments: Vec<OsString>) -> io::Result<u8> {
    let (message, _) = spool::take(io::stdin().lock())?;
    let mut words: Vec<OsString> = vec!["clamdscan".into(), "--no-summary".into()];
    words.extend(arguments);
    words.push("-".into());
    match scan(&words, &message)?.exit {
        Exit::Code(0) => {
            pass_on(&message)?;
            Ok(0)
        }
        Exit::Code(1) => Ok(1),
        Exit::Code(_) | Exit::Signal(_) => Ok(71),
    }
}
