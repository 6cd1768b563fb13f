//! qmail-rspawn: starts remote deliveries.
//!
//! Runs as:     qmailr, by qmail-start
//! Descriptors: 0 commands from qmail-send; 1 reports to it
//! Exit codes:  0 after the last command and delivery; 111 it could not begin, or go on
#![forbid(unsafe_code)]

use std::process::ExitCode;

use qmail_core::heap::keep_pages;
use qmail_rspawn::run;

fn main() -> ExitCode {
    keep_pages();
    match run(&qmail_core::home::home(), std::env::var_os("QMAILREMOTE")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(111),
    }
}
