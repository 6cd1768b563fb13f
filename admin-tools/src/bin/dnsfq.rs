//! dnsfq: prints the full name of a host that may be known by a short one.
//!
//! Runs as:     anybody
//! Descriptors: 1 the name; 2 what went wrong
//! Exit codes:  0 found; 100 there is none, or wrong usage; 111 nobody could tell
#![forbid(unsafe_code)]

use std::process::ExitCode;

use admin_tools::domains::SearchList;
use admin_tools::names::{Trouble, answer, full_name};
use qmail_dns::Resolver;

fn main() -> ExitCode {
    answer(find)
}

fn find(host: &[u8]) -> Result<Vec<u8>, Trouble> {
    let own_name = qmail_sys::host_name().unwrap_or_default();
    let candidates = SearchList::from_system(&own_name).candidates(host);
    let name = full_name(&Resolver::from_system(), &candidates)?;
    Ok([name.to_bytes().as_slice(), b"\n"].concat())
}
