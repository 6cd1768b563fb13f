//! dnsip: prints the IPv4 addresses of a host.
//!
//! Runs as:     anybody
//! Descriptors: 1 the addresses; 2 what went wrong
//! Exit codes:  0 found; 100 there is none, or wrong usage; 111 nobody could tell
#![forbid(unsafe_code)]

use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use admin_tools::fatal::{PERMANENT, give_up, print, printed};
use admin_tools::names::{Trouble, addresses};
use qmail_dns::Resolver;

fn main() -> ExitCode {
    let Some(word) = std::env::args_os().nth(1) else { return ExitCode::from(PERMANENT) };
    match find(word.as_bytes()) {
        Ok(found) => printed(print(&found)),
        Err(trouble) => give_up(trouble.text(), trouble.code()),
    }
}

fn find(host: &[u8]) -> Result<Vec<u8>, Trouble> {
    let found = addresses(&Resolver::from_system(), host)?;
    Ok(found.iter().flat_map(|address| format!("{address}\n").into_bytes()).collect())
}
