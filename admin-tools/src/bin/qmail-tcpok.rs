//! qmail-tcpok: forgets which hosts did not answer.
//!
//! Runs as:     root or qmailr
//! Descriptors: 2 what went wrong
//! Exit codes:  0 forgotten; 111 the table is out of reach
#![forbid(unsafe_code)]

use std::io;
use std::path::Path;
use std::process::ExitCode;

use admin_tools::fatal::{TEMPORARY, because, give_up};
use qmail_core::home::home;
use qmail_core::tcpto::TimeoutFile;

fn main() -> ExitCode {
    let home = home();
    let lock = home.join("queue/lock");
    for directory in [&home, &lock] {
        if let Err(error) = std::env::set_current_dir(directory) {
            return fail("chdir to", directory, &error);
        }
    }
    match TimeoutFile::new(&home).reset() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail("write", &lock.join("tcpto"), &error),
    }
}

fn fail(what: &str, path: &Path, error: &io::Error) -> ExitCode {
    let what = format!("qmail-tcpok: fatal: unable to {what} {}", path.display());
    give_up(&because(&what, error), TEMPORARY)
}
