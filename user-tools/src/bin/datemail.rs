//! datemail: sendmail for messages that want the date of the sender's place.
//!
//! Runs as:     whoever sends the message
//! Descriptors: 0 message, read by sendmail; 2 what went wrong
//! Exit codes:  those of sendmail; 111 the system failed
#![forbid(unsafe_code)]

use std::process::ExitCode;

use qmail_core::home::home;
use user_tools::failure::finish;
use user_tools::handover::become_program;
use user_tools::surroundings::words;

fn main() -> ExitCode {
    let sendmail = home().join("bin/sendmail").into_os_string();
    let arguments = std::iter::once(sendmail).chain(words()).collect();
    finish("datemail", Err(become_program(home().join("bin/predate").into(), arguments)))
}
