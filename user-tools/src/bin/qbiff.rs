//! qbiff: tells a user on his terminals that mail has come.
//!
//! Runs as:     the user whose .qmail file calls it
//! Descriptors: 0 message, read
//! Exit codes:  0, whatever happens: no mail waits for a notice
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::fs::File;
use std::io::BufReader;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use user_tools::bell::{notice, ring, terminals};
use user_tools::surroundings::variable;

fn main() -> ExitCode {
    let _: Option<()> = run();
    ExitCode::SUCCESS
}

fn run() -> Option<()> {
    let (user, sender, local) = (variable("USER")?, variable("SENDER")?, variable("LOCAL")?);
    let message = File::from(qmail_sys::inherit(0).ok()?);
    let notice = notice(&local, &sender, &mut BufReader::new(message))?;
    for terminal in terminals(&user, &qmail_sys::logins().ok()?) {
        let path = Path::new("/dev").join(OsStr::from_bytes(terminal));
        ring(&path, qmail_sys::real_uid(), &notice);
    }
    Some(())
}
