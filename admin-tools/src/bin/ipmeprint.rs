//! ipmeprint: prints the IPv4 addresses of this host.
//!
//! Runs as:     anybody
//! Descriptors: 1 the addresses; 2 what went wrong
//! Exit codes:  0 printed; 100 they cannot be found out; 111 nobody reads them
#![forbid(unsafe_code)]

use std::net::Ipv4Addr;
use std::process::ExitCode;

use admin_tools::fatal::{PERMANENT, give_up, print, printed};

fn main() -> ExitCode {
    let Ok(all) = qmail_sys::interface_addresses() else {
        return give_up("hard error", PERMANENT);
    };
    // No address at all is this host, too: who connects to it connects to us.
    let own = std::iter::once(Ipv4Addr::UNSPECIFIED.into()).chain(all);
    let lines: String =
        own.filter(|it| it.is_ipv4()).map(|address| format!("{address}\n")).collect();
    printed(print(lines.as_bytes()))
}
