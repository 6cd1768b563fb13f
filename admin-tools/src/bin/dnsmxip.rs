//! dnsmxip: prints where mail for a domain goes: addresses and their preferences.
//!
//! Runs as:     anybody
//! Descriptors: 1 the addresses; 2 what went wrong
//! Exit codes:  0 found; 100 there is none, or wrong usage; 111 nobody could tell
#![forbid(unsafe_code)]

use std::process::ExitCode;

use admin_tools::names::{Trouble, answer, mail_addresses};
use qmail_dns::Resolver;

fn main() -> ExitCode {
    answer(find)
}

fn find(domain: &[u8]) -> Result<Vec<u8>, Trouble> {
    let found = mail_addresses(&Resolver::from_system(), domain)?;
    let line = |(address, preference)| format!("{address} {preference}\n").into_bytes();
    Ok(found.into_iter().flat_map(line).collect())
}
