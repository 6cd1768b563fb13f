//! qmail-start: opens the pipes, starts the daemons, and becomes qmail-send.
//!
//! Runs as:     root; or whoever owns a single-user tree
//! Descriptors: 1 is where the log goes; nothing is read
//! Exit codes:  111 if anything fails, and nothing is printed; otherwise those of qmail-send
#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::io::IsTerminal;
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

/// Makes one group of all of qmail, so that it can be ended whole: deliveries that hang, too. Who
/// leads a session has such a group already, and may have no other.
fn lead() {
    let _ = qmail_sys::new_process_group();
}

fn run() -> Result<Infallible, Failure> {
    let request = Request::parse(std::env::args_os().skip(1));
    let home = home();
    trusted(&home, qmail_sys::effective_uid())?;
    let accounts = Accounts::load(&home)?;
    let output = qmail_sys::inherit(1)?;
    // Whoever looks on at a terminal wants to interrupt everything from there.
    if !output.is_terminal() {
        lead();
    }
    std::env::set_current_dir("/")?;
    qmail_sys::change_mask(0o077);
    start(&request, &accounts, output)
}
