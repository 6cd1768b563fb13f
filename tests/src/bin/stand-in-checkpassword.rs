//! A checkpassword for trees of one user: who knows the password of the demonstration becomes
//! nobody else, since he is that user already.
//!
//! Runs as:     whoever runs the demonstration
//! Descriptors: 3 name, password and time stamp, each with a NUL behind it, read
//! Exit codes:  1 wrong password; 2 wrong usage; 111 failure; otherwise those of the program
#![forbid(unsafe_code)]

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// The only account, and its password.
const ACCOUNT: [&[u8]; 2] = [b"alice", b"secret"];

/// As much as qmail-popup sends.
const LONGEST: u64 = 512;

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let Some(program) = words.next() else { return ExitCode::from(2) };
    let mut login = Vec::new();
    let input = std::fs::File::open("/proc/self/fd/3");
    if input.and_then(|input| input.take(LONGEST).read_to_end(&mut login)).is_err() {
        return ExitCode::from(111);
    }
    let mut fields = login.split(|byte| *byte == 0);
    if ACCOUNT.iter().any(|expected| fields.next() != Some(expected)) {
        return ExitCode::from(1);
    }
    let _ = Command::new(program).args(words).exec();
    ExitCode::from(111)
}
