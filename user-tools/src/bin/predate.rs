//! predate: runs a program on its input with a Date field in front.
//!
//! Runs as:     whoever sends the message
//! Descriptors: 0 message, read; 1 and 2 are the program's; 2 what went wrong
//! Exit codes:  the program's; 100 wrong usage; 111 the system failed
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs::File;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use user_tools::date_line::date_line;
use user_tools::failure::{Failure, finish};
use user_tools::feed::Eater;
use user_tools::surroundings::words;

fn main() -> ExitCode {
    finish("predate", run(&words()))
}

fn run(words: &[OsString]) -> Result<u8, Failure> {
    let [program, arguments @ ..] = words else { return Err(Failure::Usage("predate child")) };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let date = date_line(now, qmail_sys::local_offset(now));
    let message = qmail_sys::inherit(0);
    let message = message.map_err(|error| Failure::system("unable to set up fds", &error))?;
    Eater { caller: "predate", program, arguments, missing: 111 }
        .feed(date.as_bytes(), &mut File::from(message))
}
