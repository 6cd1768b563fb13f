//! except: turns the answer of a program round.
//!
//! Runs as:     the user whose .qmail file calls it
//! Descriptors: 0, 1 and 2 are the program's; 2 what went wrong
//! Exit codes:  100 the program said yes (0), or wrong usage; 0 it said no; 111 it gave no answer
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::process::ExitCode;

use user_tools::failure::{Failure, finish};
use user_tools::judge::{Answer, ask};
use user_tools::surroundings::words;

const USAGE: Failure = Failure::Usage("except program [ arg ... ]");

fn main() -> ExitCode {
    finish("except", run(&words()))
}

fn run(words: &[OsString]) -> Result<u8, Failure> {
    let [program, arguments @ ..] = words else { return Err(USAGE) };
    Ok(match ask(program, arguments)? {
        Answer::Yes => 100,
        Answer::No => 0,
    })
}
