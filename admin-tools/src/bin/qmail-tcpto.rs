//! qmail-tcpto: shows the hosts that did not answer lately.
//!
//! Runs as:     root or qmailr
//! Descriptors: 1 the list, or what went wrong
//! Exit codes:  0 shown; 111 the table is out of reach
#![forbid(unsafe_code)]

use std::fs::File;
use std::io;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use admin_tools::fatal::{TEMPORARY, because, give_up_loudly, print, printed};
use admin_tools::timeouts::report;
use qmail_core::home::home;
use qmail_core::tcpto::{Family, TimeoutFile};

fn main() -> ExitCode {
    let home = home();
    if let Err(error) = std::env::set_current_dir(home.join("queue/lock")) {
        return give_up_loudly(&because("fatal: unable to chdir", &error), TEMPORARY);
    }
    let file = TimeoutFile::new(&home);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut lines = match file.table() {
        Ok(table) => report(&table, now),
        Err(error) => return out_of_reach(&error),
    };
    match file.table_of(Family::Ipv6) {
        Ok(table) => lines += &report(&table, now),
        // No host with such an address has failed to answer, or netqmail made this tree.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return out_of_reach(&error),
    }
    printed(print(lines.as_bytes()))
}

fn out_of_reach(error: &io::Error) -> ExitCode {
    // We are where it is.
    let what = if File::open("tcpto").is_ok() { "read" } else { "open" };
    give_up_loudly(&because(&format!("fatal: unable to {what} tcpto"), error), TEMPORARY)
}
