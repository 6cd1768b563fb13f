//! dnstxt: prints the texts of a name, such as its SPF record and others' proofs.
//!
//! Runs as:     anybody
//! Descriptors: 1 the texts, a line each; 2 what went wrong
//! Exit codes:  0 found; 100 there is none, or wrong usage; 111 nobody could tell
#![forbid(unsafe_code)]

use std::process::ExitCode;

use admin_tools::names::{answer, text_lines};
use qmail_dns::Resolver;

fn main() -> ExitCode {
    answer(|name| text_lines(&Resolver::from_system(), name))
}
