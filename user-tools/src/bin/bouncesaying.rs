//! bouncesaying: bounces a message with a text of the user's, if a program says so.
//!
//! Runs as:     the user whose .qmail file calls it
//! Descriptors: 0 and 1 are the program's; 2 the text, or what went wrong
//! Exit codes:  100 the program said yes (0) or there is none, or wrong usage; 0 it said no; 111 it
//!              gave no answer
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use user_tools::failure::{Failure, finish, say};
use user_tools::judge::{Answer, ask};
use user_tools::surroundings::words;

const USAGE: Failure = Failure::Usage("bouncesaying error [ program [ arg ... ] ]");

fn main() -> ExitCode {
    finish("bouncesaying", run(&words()))
}

fn run(words: &[OsString]) -> Result<u8, Failure> {
    let [text, command @ ..] = words else { return Err(USAGE) };
    if let [program, arguments @ ..] = command
        && ask(program, arguments)? == Answer::No
    {
        return Ok(0);
    }
    say(&[text.as_bytes(), b"\n"].concat());
    Ok(100)
}
