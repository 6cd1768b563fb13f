//! spam-zones: a filter that asks spamd about a message: green passes, yellow is marked, red is
//! refused.
//!
//! Runs as:     who runs hi-q
//! Descriptors: 0 message, 1 the same as spamd has marked it
//! Exit codes:  0 passed on; 1 refused; 71 spamd could not be asked
#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::process::ExitCode;

use qmail_sys::Exit;
use smtpd_tools::scan::{pass_on, scan};
use smtpd_tools::spam_report::{hundredths, score};
use smtpd_tools::spool;

/// From this score on a message is refused, if nothing else is said.
const RED: &str = "7";
/// Larger messages are not asked about: spamc would not send them.
const LARGEST: u64 = 500_000;
/// The status is in the header, and that is not longer than this.
const LONGEST_HEADER: u64 = 1_000_000;

/// Its arguments are for spamc. `$SPAM_RED` is the score from which on a message is refused.
fn main() -> ExitCode {
    match run(env::args_os().skip(1).collect()) {
        Ok(code) => ExitCode::from(code),
        Err(_) => ExitCode::from(71),
    }
}

fn run(arguments: Vec<OsString>) -> io::Result<u8> {
    let red = env::var("SPAM_RED").unwrap_or_else(|_| RED.to_owned());
    let red = hundredths(&red).ok_or(io::ErrorKind::InvalidInput)?;
    let (message, size) = spool::take(io::stdin().lock())?;
    if size > LARGEST {
        pass_on(&message)?;
        return Ok(0);
    }
    // -x: a spamd that does not answer is a failure, not a clean message.
    let mut words: Vec<OsString> = vec!["spamc".into(), "-x".into()];
    words.extend(arguments);
    let scanned = scan(&words, &message)?;
    if scanned.exit != Exit::Code(0) {
        return Ok(71);
    }
    let Some(score) = score(&header(&scanned.output)?) else { return Ok(71) };
    if score >= red {
        return Ok(1);
    }
    pass_on(&scanned.output)?;
    Ok(0)
}

fn header(mut message: &File) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    message.take(LONGEST_HEADER).read_to_end(&mut start)?;
    message.rewind()?;
    Ok(start)
}
