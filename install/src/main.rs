//! install: makes a qmail tree, or takes one over, and checks it; or lays out a package.
//!
//! Runs as:     root; or anybody, for a single-user tree or a package
//! Descriptors: 1 what is, or would be, changed; 2 what is wrong
//! Exit codes:  0; 1 something has to be seen to first; 100 wrong usage; 111 not done, not checked
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use install::{Command, Failure, Place, Request};

const USAGE: &str = "install: usage: install [--from DIRECTORY ...] \
                     [--dry-run | --stage DIRECTORY | --unpacked | check | protect [DIRECTORY]]";

fn main() -> ExitCode {
    match Request::parse(std::env::args_os().skip(1)) {
        None => {
            complain(USAGE);
            ExitCode::from(100)
        }
        Some(request) => match run(&request) {
            Ok(code) => code,
            Err(failure) => {
                complain(&format!("{}: fatal: {failure}", request.name()));
                ExitCode::from(111)
            }
        },
    }
}

fn run(request: &Request) -> Result<ExitCode, Failure> {
    qmail_sys::change_mask(0o077);
    let home = qmail_core::home::home();
    match &request.command {
        Command::Check => install::check(&Place::existing(home)?, &mut |line| complain(line))?,
        Command::DryRun => {
            let findings = install::dry_run(home, &request.sources()?)?;
            findings.lines.iter().for_each(|line| say(line));
            findings.warnings.iter().for_each(|line| complain(line));
            return Ok(ExitCode::from(u8::from(!findings.warnings.is_empty())));
        }
        Command::Install => install::install(&prepared(home)?, &request.sources()?)?,
        Command::Complete => install::complete(&prepared(home)?)?,
        Command::Protect(directory) => {
            install::protect(&Place::existing(home)?, &request.sources()?, directory)?;
        }
        Command::Stage(root) => install::stage(root, &home, &request.sources()?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn prepared(home: std::path::PathBuf) -> Result<Place, Failure> {
    let place = Place::prepared(home, &mut |line| say(line))?;
    place.warnings().iter().for_each(|line| complain(line));
    Ok(place)
}

/// A reader that has gone away is no reason to leave a tree half made.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
