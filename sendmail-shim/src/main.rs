//! sendmail: the sendmail command line before qmail-inject; also mailq and newaliases, by its name.
//!
//! Runs as:     whoever sends the message
//! Descriptors: none of its own; the program that takes over has them all
//! Exit codes:  those of that program; 100 wrong usage, 111 it cannot be run
#![forbid(unsafe_code)]

use std::io::{self, Write as _};
use std::process::ExitCode;

fn main() -> ExitCode {
    let words = std::env::args_os().collect();
    let has_variable = |name: &str| std::env::var_os(name).is_some();
    let failure = sendmail::run(words, has_variable, &qmail_core::home::home());
    // Who does not listen still gets the exit code.
    let _ = io::stderr().write_all(failure.message().as_bytes());
    ExitCode::from(failure.code())
}
