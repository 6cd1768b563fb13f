//! qail: brings new mail from a maildir into the mbox, and shows that with Mail.
//!
//! Runs as:     the user who reads his mail
//! Descriptors: those of Mail; 2 what went wrong
//! Exit codes:  those of Mail; 111 the mail could not be brought, or the system failed
#![forbid(unsafe_code)]

use std::process::ExitCode;

use user_tools::failure::finish;
use user_tools::handover::read_mail;

fn main() -> ExitCode {
    finish("qail", read_mail("Mail"))
}
