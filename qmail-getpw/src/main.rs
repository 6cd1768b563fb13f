//! qmail-getpw: finds the account that a local address belongs to.
//!
//! Runs as:     qmailp, by qmail-lspawn
//! Descriptors: 1 six strings, each ended by a NUL: user, uid, gid, home, dash, extension; where it
//!              stays, 1 all answers, and 3 the questions, read
//! Exit codes:  0 found; 100 no address given; 115, 116, 118 as for qmail-lspawn, try again later
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use qmail_core::built_in;
use qmail_getpw::failure::Failure;
use qmail_getpw::host::Host;
use qmail_getpw::owner::owner;
use qmail_getpw::stay::stay;
use qmail_wire::lookup::{QUESTIONS, STANDING};

fn main() -> ExitCode {
    match print_owner() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(failure.code()),
    }
}

fn print_owner() -> Result<(), Failure> {
    let mut arguments = std::env::args_os().skip(1);
    let local = arguments.next().ok_or(Failure::Usage)?;
    let host = Host::of_tree(&qmail_core::home::home());
    if local.is_empty() && arguments.next().is_some_and(|word| word == STANDING) {
        let questions = qmail_sys::inherit(QUESTIONS).map_err(|_| Failure::System)?;
        return stay(File::from(questions), io::stdout(), &host).map_err(|_| Failure::System);
    }
    let assignment = owner(local.as_bytes(), built_in::break_character(), &host)?;
    let mut output = io::stdout();
    output
        .write_all(&assignment.to_bytes())
        .and_then(|()| output.flush())
        .map_err(|_| Failure::System)
}
