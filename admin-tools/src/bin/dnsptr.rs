//! dnsptr: prints the name of an address.
//!
//! Runs as:     anybody
//! Descriptors: 1 the name; 2 what went wrong
//! Exit codes:  0 found; 100 there is none, or wrong usage; 111 nobody could tell
#![forbid(unsafe_code)]

use std::process::ExitCode;

use admin_tools::names::{Trouble, answer, pointer};
use qmail_dns::Resolver;

fn main() -> ExitCode {
    answer(find)
}

fn find(address: &[u8]) -> Result<Vec<u8>, Trouble> {
    let text = std::str::from_utf8(address).map_err(|_| Trouble::Hard)?;
    let address = text.parse().map_err(|_| Trouble::Hard)?;
    let name = pointer(&Resolver::from_system(), address)?;
    Ok([name.to_bytes().as_slice(), b"\n"].concat())
}
