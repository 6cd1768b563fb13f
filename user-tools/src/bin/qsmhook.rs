//! qsmhook: runs a delivery program that was written for sendmail.
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
use user_tools::hook::{Delivery, without_prefix};
use user_tools::surroundings::variable;

const LETTERS: &[u8] = b"DFlMmnPsx:";

fn main() -> ExitCode {
    finish("qsmhook", run())
}

fn run() -> Result<u8, Failure> {
    let given = |name| variable(name).ok_or_else(usage);
    let (delivered_to, return_path, from) = (given("DTLINE")?, given("RPLINE")?, given("UFLINE")?);
    let (local, host, sender) = (given("LOCAL")?, given("HOST")?, given("SENDER")?);
    let mut user = local.as_slice();
    let [mut shows_from, mut shows_return_path, mut shows_delivered_to] = [true, false, false];
    let mut options = Options::new(LETTERS, std::env::args_os());
    while let Some(option) = options.next_option().map_err(refuse)? {
        match option {
            Given::Letter(b'n') => shows_from = false,
            Given::Letter(b'P') => shows_return_path = true,
            Given::Letter(b'l') => shows_delivered_to = true,
            Given::Argument(_, prefix) => user = without_prefix(user, &prefix),
            // What sendmail's mailers were told by these is so, or means nothing here.
            Given::Letter(_) => {}
        }
    }
    let delivery = Delivery { sender: &sender, host: &host, user };
    let words = options.operands();
    let words: Vec<OsString> =
        words.iter().map(|word| OsString::from_vec(delivery.fill(word))).collect();
    let [program, arguments @ ..] = words.as_slice() else { return Err(usage()) };
    let lines =
        [(shows_from, from), (shows_return_path, return_path), (shows_delivered_to, delivered_to)];
    let shown = lines.into_iter().filter(|(is_shown, _)| *is_shown);
    let before: Vec<u8> = shown.flat_map(|(_, line)| line).collect();
    let message = qmail_sys::inherit(0);
    let message = message.map_err(|error| Failure::system("unable to set up fds", &error))?;
    Eater { caller: "qsmhook", program, arguments, missing: 100 }
        .feed(&before, &mut File::from(message))
}

fn usage() -> Failure {
    Failure::Permanent(b"incorrect usage".to_vec())
}

fn refuse(bad: BadOption) -> Failure {
    say(format!("{bad}\n").as_bytes());
    usage()
}
