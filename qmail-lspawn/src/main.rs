//! qmail-lspawn: starts local deliveries.
//!
//! Runs as:     root, by qmail-start; each delivery becomes its user before it runs qmail-local
//! Descriptors: 0 commands from qmail-send; 1 reports to it
//! Exit codes:  0 after the last command and delivery; 100 no default delivery; 111 it could not
//!              begin, or go on
#![forbid(unsafe_code)]

use std::process::ExitCode;

use qmail_core::heap::keep_pages;
use qmail_lspawn::{Input, run};

fn main() -> ExitCode {
    keep_pages();
    let Some(default_delivery) = std::env::args_os().nth(1) else { return ExitCode::from(100) };
    let program = std::env::var_os("QMAILLOCAL");
    match run(Input { home: qmail_core::home::home(), default_delivery, program }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(111),
    }
}
