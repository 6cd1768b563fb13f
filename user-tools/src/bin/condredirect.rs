//! condredirect: sends a message on to another address if a program says so.
//!
//! Runs as:     the user whose .qmail file calls it
//! Descriptors: 0 message, read by the program and then from its beginning; 2 number of the new
//!              message, or what went wrong
//! Exit codes:  99 queued, so that the rest of the .qmail file is not for this message; 0 the
//!              program said no; 100 refused for good, or wrong usage; 111 try again later
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs::File;
use std::io::Seek;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use user_tools::failure::{Failure, finish, say};
use user_tools::judge::{Answer, ask};
use user_tools::redirect::redirect;
use user_tools::surroundings::{required, words};

const USAGE: Failure = Failure::Usage("condredirect newaddress program [ arg ... ]");
/// What qmail-local takes for: done, and no further instructions.
const DONE: u8 = 99;

fn main() -> ExitCode {
    finish("condredirect", run(&words()))
}

fn run(words: &[OsString]) -> Result<u8, Failure> {
    let [address, program, arguments @ ..] = words else { return Err(USAGE) };
    if ask(program, arguments)? == Answer::No {
        return Ok(0);
    }
    let mut message = rewound().map_err(|error| Failure::system("unable to rewind", &error))?;
    let sender = required("SENDER")?;
    let delivered_to = required("DTLINE")?;
    let id = redirect(&delivered_to, &mut message, &sender, [address.as_bytes()])?;
    say(format!("condredirect: qp {id}\n").as_bytes());
    Ok(DONE)
}

fn rewound() -> std::io::Result<File> {
    let mut message = File::from(qmail_sys::inherit(0)?);
    message.rewind()?;
    Ok(message)
}
