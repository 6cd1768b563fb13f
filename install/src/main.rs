//! install: makes a qmail tree, or takes one over, and checks it.
//!
//! Runs as:     root; or anybody, for a single-user tree
//! Descriptors: 1 what is changed beyond the tree, 2 what is wrong
//! Exit codes:  0; 100 wrong usage; 111 the tree is not complete
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use install::{Command, Failure, Place, Request};

fn main() -> ExitCode {
    match Request::parse(std::env::args_os().skip(1)) {
        None => {
            complain("install: usage: install [--from DIRECTORY ...] [check]");
            ExitCode::from(100)
        }
        Some(request) => match run(&request) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                complain(&format!("{}: fatal: {failure}", request.name()));
                ExitCode::from(111)
            }
        },
    }
}

fn run(request: &Request) -> Result<(), Failure> {
    qmail_sys::change_mask(0o077);
    let home = qmail_core::home::home();
    match request.command {
        Command::Check => install::check(&Place::existing(home)?, &mut |line| complain(line)),
        Command::Install => {
            let place = Place::prepared(home, &mut |line| say(line))?;
            place.warnings().iter().for_each(|line| complain(line));
            install::install(&place, &request.sources()?)
        }
    }
}

/// A reader that has gone away is no reason to leave a tree half made.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
