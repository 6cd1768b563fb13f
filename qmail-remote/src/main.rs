//! qmail-remote: sends a message to a host by SMTP.
//!
//! Runs as:     qmailr
//! Descriptors: 0 the message, 1 the report: records for the recipients, then the verdict
//! Exit codes:  0 always; qmail-rspawn reads the report
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use qmail_remote::{Input, System, run};

fn main() -> ExitCode {
    qmail_forkserver::main(|arguments| {
        send(arguments);
        0
    })
}

fn send(arguments: Vec<OsString>) {
    let arguments = arguments.into_iter().skip(1).map(OsStringExt::into_vec).collect();
    let message = qmail_sys::inherit(0).map(File::from);
    let home = qmail_core::home::home();
    let report = run(Input { arguments, message, home: &home, system: &System::new() });
    // Without a report qmail-rspawn tries again, so there is nobody to tell if this fails.
    let _: io::Result<()> =
        qmail_sys::inherit(1).and_then(|output| File::from(output).write_all(report.as_bytes()));
}
