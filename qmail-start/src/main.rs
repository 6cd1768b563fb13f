//! qmail-start: opens the pipes, starts the daemons, and becomes qmail-send.
//!
//! Runs as:     root; or whoever owns a single-user tree
//! Descriptors: 1 is where the log goes; nothing is read
//! Exit codes:  111 if anything fails, and nothing is printed; otherwise those of qmail-send
#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::process::ExitCode;

use qmail_core::accounts::Accounts;
use qmail_core::home::home;
use qmail_start::{Failure, Request, start, trusted};

fn main() -> ExitCode {
    match run() {
        Ok(never) => match never {},
        Err(_) => ExitCode::from(111),
    }
}

fn run() -> Result<Infallible, Failure> {
    let request = Request::parse(std::env::args_os().skip(1));
    let home = home();
    trusted(&home, qmail_sys::effective_uid())?;
    let accounts = Accounts::load(&home)?;
    let output = qmail_sys::inherit(1)?;
    std::env::set_current_dir("/")?;
    qmail_sys::change_mask(0o077);
    start(&request, &accounts, output)
}
