//! forward: sends a message that is being delivered on to other addresses.
//!
//! Runs as:     the user whose .qmail file calls it
//! Descriptors: 0 message, read; 2 number of the new message, or what went wrong
//! Exit codes:  0 queued; 100 refused for good, or called outside a delivery; 111 try again later
#![forbid(unsafe_code)]

use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use user_tools::failure::{Failure, finish, say};
use user_tools::redirect::redirect;
use user_tools::surroundings::{required, words};

fn main() -> ExitCode {
    finish("forward", run())
}

fn run() -> Result<u8, Failure> {
    let sender = required("NEWSENDER")?;
    let delivered_to = required("DTLINE")?;
    let message = qmail_sys::inherit(0);
    let mut message = message
        .map(File::from)
        .map_err(|error| Failure::system("unable to read message", &error))?;
    let recipients = words();
    let recipients = recipients.iter().map(|word| word.as_bytes());
    let id = redirect(&delivered_to, &mut message, &sender, recipients)?;
    say(format!("forward: qp {id}\n").as_bytes());
    Ok(0)
}
