//! dnsip: prints the IPv4 addresses of a host.
//!
//! Runs as:     anybody
//! Descriptors: 1 the addresses; 2 what went wrong
//! Exit codes:  0 found; 100 there is none, or wrong usage; 111 nobody could tell
#![forbid(unsafe_code)]

use std::process::ExitCode;

use admin_tools::names::{Trouble, addresses, answer};
use qmail_dns::Resolver;

fn main() -> ExitCode {
    answer(find)
}

fn find(host: &[u8]) -> Result<Vec<u8>, Trouble> {
    let found = addresses(&Resolver::from_system(), host)?;
    Ok(found.iter().flat_map(|address| format!("{address}\n").into_bytes()).collect())
}
