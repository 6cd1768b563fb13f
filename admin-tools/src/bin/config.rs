//! config: makes the first control files from what DNS knows of this host.
//!
//! Runs as:     root, once, after installation
//! Descriptors: 1 what it does; 2 what went wrong
//! Exit codes:  0 made; 100 DNS does not know this host; 111 the system failed
#![forbid(unsafe_code)]

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;

use admin_tools::domains::SearchList;
use admin_tools::fatal::{TEMPORARY, give_up};
use admin_tools::names::{Trouble, full_name};
use admin_tools::setup::{Setup, Unwritten};
use qmail_address::is_plain_name;
use qmail_dns::Resolver;

const BY_HAND: &str = "You will have to set up control/me yourself.";

fn main() -> ExitCode {
    qmail_sys::change_mask(0o022);
    let resolver = Resolver::from_system();
    let mut setup = Setup::new(&qmail_core::home::home(), io::stdout());
    let host = match qmail_sys::host_name() {
        Ok(host) if !host.is_empty() => host.to_ascii_lowercase(),
        _ => {
            setup.say("This host has no name.");
            setup.say(BY_HAND);
            return ExitCode::from(TEMPORARY);
        }
    };
    setup.say(&format!("Your hostname is {}.", String::from_utf8_lossy(&host)));
    let candidates = SearchList::from_system(&host).candidates(&host);
    let full = full_name(&resolver, &candidates).map(|name| name.to_bytes().to_ascii_lowercase());
    let name = match full
        .and_then(|name| Some(name).filter(|it| is_plain_name(it)).ok_or(Trouble::Hard))
    {
        Ok(name) => name,
        Err(trouble) => {
            setup
                .say(&format!("DNS does not know the full name of this host: {}.", trouble.text()));
            setup.say(BY_HAND);
            return ExitCode::from(trouble.code());
        }
    };
    match set_up(&mut setup, &name, &resolver) {
        Ok(()) => ExitCode::SUCCESS,
        Err(unwritten) => give_up(&format!("config: fatal: {unwritten}"), TEMPORARY),
    }
}

fn set_up(
    setup: &mut Setup<io::Stdout>,
    name: &[u8],
    resolver: &Resolver,
) -> Result<(), Unwritten> {
    let shown = String::from_utf8_lossy(name);
    setup.say(&format!("Your host's fully qualified name in DNS is {shown}."));
    setup.name(name)?;
    setup.own_names(name, &own_addresses(), resolver)?;
    setup.say("Now qmail will refuse to accept SMTP messages except to those hosts.");
    setup.say("Make sure to change rcpthosts if you add hosts to locals or virtualdomains!");
    Ok(())
}

fn own_addresses() -> Vec<Ipv4Addr> {
    let all = qmail_sys::interface_addresses().unwrap_or_default();
    let is_v4 = |address| match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    };
    all.into_iter().filter_map(is_v4).collect()
}
