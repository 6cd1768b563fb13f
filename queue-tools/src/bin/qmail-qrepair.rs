//! qmail-qrepair: makes, checks, repairs and converts a queue.
//!
//! Runs as:     root, with qmail-send stopped
//! Descriptors: 1 what is wrong and what is done; 2 why it ended early, and how far it has come
//! Exit codes:  0 nothing is wrong now; 1 something is; 100 wrong usage; 111 it ended early
#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;

use qmail_core::accounts::Accounts;
use qmail_core::home::home;
use qmail_queue_tools::repair::{self, Job, Request};
use qmail_queue_tools::say::{FINE, TEMPORARY, USAGE, give_up};

fn main() -> ExitCode {
    let request = match Request::parse(std::env::args_os()) {
        Ok(request) => request,
        Err(bad) => return give_up(&bad.to_string(), USAGE),
    };
    if request.job == Job::Help {
        return give_up(repair::USAGE, FINE);
    }
    let home = request.home.clone().unwrap_or_else(home);
    let fatal = |text: &str| give_up(&format!("qmail-qrepair: fatal: {text}"), TEMPORARY);
    let accounts = match Accounts::load(&home) {
        Ok(accounts) => accounts,
        Err(error) => return fatal(&error.to_string()),
    };
    let output = io::BufWriter::new(io::stdout().lock());
    match repair::run(&request, &home, &accounts, output) {
        Ok(outcome) => ExitCode::from(outcome.code()),
        Err(failure) => fatal(&failure.to_string()),
    }
}
