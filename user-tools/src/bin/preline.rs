//! preline: runs a program on the message with the lines in front that mailers of old had there.
//!
//! Runs as:     the user whose .qmail file calls it
//! Descriptors: 0 message, read; 1 and 2 are the program's; 2 what went wrong
//! Exit codes:  the program's; 100 wrong usage, or there is no such program; 111 the system failed
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use qmail_core::options::{BadOption, Given, Options};
use user_tools::failure::{Failure, finish, say};
use user_tools::feed::Eater;
use user_tools::surroundings::variable;

const USAGE: Failure = Failure::Usage("preline cmd [ arg ... ]");

fn main() -> ExitCode {
    finish("preline", run())
}

fn run() -> Result<u8, Failure> {
    let all = [variable("UFLINE"), variable("RPLINE"), variable("DTLINE")];
    let [Some(from), Some(return_path), Some(delivered_to)] = all else { return Err(USAGE) };
    let mut lines =
        [Line::new(b'f', from), Line::new(b'r', return_path), Line::new(b'd', delivered_to)];
    let mut options = Options::new(b"frdFRD", std::env::args_os());
    while let Some(given) = options.next_option().map_err(refuse)? {
        let (Given::Letter(letter) | Given::Argument(letter, _)) = given;
        lines.iter_mut().for_each(|line| line.obey(letter));
    }
    let words: Vec<OsString> = options.operands().into_iter().map(OsString::from_vec).collect();
    let [program, arguments @ ..] = words.as_slice() else { return Err(USAGE) };
    let before: Vec<u8> = lines.into_iter().flat_map(Line::text).collect();
    let message = qmail_sys::inherit(0);
    let message = message.map_err(|error| Failure::system("unable to set up fds", &error))?;
    Eater { caller: "preline", program, arguments, missing: 100 }
        .feed(&before, &mut File::from(message))
}

/// A line that goes before the message unless its letter is given; a capital brings it back.
struct Line {
    letter: u8,
    shown: bool,
    text: Vec<u8>,
}

impl Line {
    fn new(letter: u8, text: Vec<u8>) -> Self {
        Self { letter, shown: true, text }
    }

    fn obey(&mut self, letter: u8) {
        if letter.eq_ignore_ascii_case(&self.letter) {
            self.shown = letter.is_ascii_uppercase();
        }
    }

    fn text(self) -> Vec<u8> {
        if self.shown { self.text } else { Vec::new() }
    }
}

fn refuse(bad: BadOption) -> Failure {
    say(format!("{bad}\n").as_bytes());
    USAGE
}
