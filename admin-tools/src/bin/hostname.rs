//! hostname: prints the name that the kernel knows this host by.
//!
//! Runs as:     anybody
//! Descriptors: 1 the name
//! Exit codes:  0
#![forbid(unsafe_code)]

use std::process::ExitCode;

use admin_tools::fatal::print;

fn main() -> ExitCode {
    let name = qmail_sys::host_name().unwrap_or_default();
    // Who does not listen does not need it.
    let _ = print(&[name.as_slice(), b"\n"].concat());
    ExitCode::SUCCESS
}
