//! dknewkey: makes a DKIM key and prints its DNS record.
//!
//! Runs as:     root, who becomes qmailr where the keys are his, or the owner of a single-user tree
//! Descriptors: 1 the record, as a line of a zone file; 2 what went wrong
//! Exit codes:  0 made; 100 wrong usage; 111 the system failed, or there is such a key already
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use dknewkey::{Failure, Request, run};

fn main() -> ExitCode {
    let made = Request::parse(std::env::args_os())
        .and_then(|request| run(&request, &qmail_core::home::home()))
        .and_then(|line| std::io::stdout().write_all(line.as_bytes()).map_err(Failure::Print));
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Whoever has closed standard error does not want to know.
            let _ = writeln!(std::io::stderr(), "dknewkey: {failure}");
            ExitCode::from(failure.code())
        }
    }
}
