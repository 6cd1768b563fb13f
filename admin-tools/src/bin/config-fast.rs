//! config-fast: makes the first control files from the name of this host.
//!
//! Runs as:     root, once, after installation
//! Descriptors: 1 what it does; 2 what went wrong
//! Exit codes:  0 made; 100 wrong usage; 111 the system failed
#![forbid(unsafe_code)]

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use admin_tools::fatal::{PERMANENT, TEMPORARY, give_up};
use admin_tools::setup::{Setup, Unwritten};
use qmail_address::is_plain_name;

fn main() -> ExitCode {
    let name = std::env::args_os().nth(1).filter(|name| is_plain_name(name.as_bytes()));
    let Some(name) = name else {
        return give_up("config-fast: usage: config-fast hostname", PERMANENT);
    };
    match set_up(name.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(unwritten) => give_up(&format!("config-fast: fatal: {unwritten}"), TEMPORARY),
    }
}

fn set_up(name: &[u8]) -> Result<(), Unwritten> {
    qmail_sys::change_mask(0o022);
    let mut setup = Setup::new(&qmail_core::home::home(), io::stdout());
    let shown = String::from_utf8_lossy(name);
    setup.say(&format!("Your fully qualified host name is {shown}."));
    setup.name(name)?;
    setup.own_host(name)?;
    setup.say(&format!("Now qmail will refuse to accept SMTP messages except to {shown}."));
    setup.say("Make sure to change rcpthosts if you add hosts to locals or virtualdomains!");
    Ok(())
}
