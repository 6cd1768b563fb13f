//! mailsubj: sends its input as a message with a subject.
//!
//! Runs as:     whoever sends the message
//! Descriptors: 0 body, read; 2 what went wrong
//! Exit codes:  those of qmail-inject; 100 wrong usage, or an argument with a line end; 111 the
//!              system failed
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use qmail_core::home::home;
use user_tools::failure::{Failure, finish};
use user_tools::feed::Eater;
use user_tools::subject::header;
use user_tools::surroundings::words;

fn main() -> ExitCode {
    finish("mailsubj", run(&words()))
}

fn run(words: &[OsString]) -> Result<u8, Failure> {
    let usage = Failure::Usage("mailsubj subject [ recip ... ]");
    let [subject, recipients @ ..] = words else { return Err(usage) };
    let recipients: Vec<&[u8]> = recipients.iter().map(|word| word.as_bytes()).collect();
    let header = header(subject.as_bytes(), &recipients)?;
    let program = home().join("bin/qmail-inject").into_os_string();
    let body = qmail_sys::inherit(0);
    let body = body.map_err(|error| Failure::system("unable to set up fds", &error))?;
    Eater { caller: "mailsubj", program: &program, arguments: &[], missing: 111 }
        .feed(&header, &mut File::from(body))
}
