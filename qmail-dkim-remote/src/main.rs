//! qmail-dkim-remote: signs a message on its way to qmail-remote.
//!
//! Runs as:     qmailr, by qmail-rspawn, in the place of qmail-remote, which it then becomes
//! Descriptors: 0 the message; 1 the report, in which it says only why it cannot go on
//! Exit codes:  0 with a report; 111 the report could not be written, or no qmail-remote be run
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use qmail_dkim_remote::{Input, Next, run};

fn main() -> ExitCode {
    let input = Input {
        arguments: std::env::args_os().skip(1).map(OsStringExt::into_vec).collect(),
        message: qmail_sys::inherit(0).map(File::from),
        home: qmail_core::home::home(),
        next: Next::find(),
    };
    let Err(trouble) = run(input);
    let Some(report) = trouble.report() else { return ExitCode::from(111) };
    let written = qmail_sys::inherit(1).and_then(|fd| File::from(fd).write_all(&report));
    ExitCode::from(if written.is_ok() { 0 } else { 111 })
}
