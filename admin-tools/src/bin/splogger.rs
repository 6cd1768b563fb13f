//! splogger: passes lines on to syslog.
//!
//! Runs as:     qmaill, under qmail-start; anybody
//! Descriptors: 0 lines, read
//! Exit codes:  0 at the end of input; 111 it cannot be read
#![forbid(unsafe_code)]

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use admin_tools::splogger::{Header, Syslog, pass_on};

fn main() -> ExitCode {
    let header = Header::parse(std::env::args_os().skip(1));
    let syslog = Syslog::new(Path::new("/dev/log"), header);
    let result = qmail_sys::inherit(0).and_then(|input| pass_on(&mut File::from(input), &syslog));
    if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(111) }
}
