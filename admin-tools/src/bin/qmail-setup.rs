//! qmail-setup: makes a working server from the name of this host, and unmakes it.
//!
//! Usage:       qmail-setup [-s SUPERVISOR [-d DIRECTORY]] [-p USER] NAME [DOMAIN ...]
//!              qmail-setup -u
//! Runs as:     root, once, after installation
//! Descriptors: 1 what it does; 2 what went wrong
//! Exit codes:  0 done; 100 wrong usage, or not to be done here; 111 the system failed
#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;

use admin_tools::fatal::{PERMANENT, give_up};
use admin_tools::server::{Request, run};

const USAGE: &str = "qmail-setup: usage: qmail-setup [-s daemontools|runit|s6|systemd|script \
                     [-d directory]] [-p user] name [domain ...] | qmail-setup -u";

fn main() -> ExitCode {
    let Some(request) = Request::parse(std::env::args_os()) else {
        return give_up(USAGE, PERMANENT);
    };
    qmail_sys::change_mask(0o022);
    match run(&request, &qmail_core::home::home(), io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => give_up(&format!("qmail-setup: fatal: {failure}"), failure.code()),
    }
}
