//! checkpassword: checks a password and runs a program as its owner.
//!
//! Usage:       checkpassword PROGRAM [ARGUMENT...]
//! Runs as:     root; as anybody else it can only check his own password, if he may read it
//! Descriptors: 3, login, password and challenge, each with a NUL; all others are the program's
//! Exit codes:  those of the program; 1 wrong password or no such account; 2 misused;
//!              111 try again later
#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::fs::File;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use checkpassword::{Failure, account, become_user, read_request};
use qmail_sys::Spawn;

/// Where we are told who wants to log in.
const REQUEST: u8 = 3;
const SECONDS_PER_DAY: u64 = 86_400;

fn main() -> ExitCode {
    match run() {
        Ok(never) => match never {},
        Err(failure) => ExitCode::from(failure.code()),
    }
}

fn run() -> Result<Infallible, Failure> {
    let mut words = std::env::args_os().skip(1);
    let program = words.next().ok_or(Failure::Misused)?;
    // It is closed before the program starts.
    let descriptor = qmail_sys::inherit(REQUEST).map_err(|_| Failure::Misused)?;
    let request = read_request(File::from(descriptor))?;
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let user = account(&request, seconds / SECONDS_PER_DAY)?;
    become_user(&user, Spawn::search(program).args(words))
}
