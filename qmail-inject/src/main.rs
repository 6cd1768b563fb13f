//! qmail-inject: completes the header of a message and queues it.
//!
//! Runs as:     whoever sends the message
//! Descriptors: 0 message, read; 1 message, written with -n
//! Exit codes:  0 queued; 100 refused for good: wrong usage, or an address that is none;
//!              111 try again later
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use qmail_inject::failure::Failure;
use qmail_inject::{Invocation, run};

fn main() -> ExitCode {
    let Err(failure) = gather_and_run() else { return ExitCode::SUCCESS };
    // Who does not listen still gets the exit code.
    let _ = io::stderr().write_all(&failure.message());
    ExitCode::from(failure.code())
}

fn gather_and_run() -> Result<(), Failure> {
    let variable = |name: &str| std::env::var_os(name).map(OsStringExt::into_vec);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    run(Invocation {
        words: std::env::args_os().collect(),
        variable: &variable,
        home: &qmail_core::home::home(),
        started: now.as_secs(),
        process: std::process::id(),
        input: File::from(qmail_sys::inherit(0).map_err(Failure::Read)?),
        output: File::from(qmail_sys::inherit(1).map_err(|_| Failure::Write)?),
    })
}
