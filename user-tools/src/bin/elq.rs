//! elq: brings new mail from a maildir into the mbox, and shows that with elm.
//!
//! Runs as:     the user who reads his mail
//! Descriptors: those of elm; 2 what went wrong
//! Exit codes:  those of elm; 111 the mail could not be brought, or the system failed
#![forbid(unsafe_code)]

use std::process::ExitCode;

use user_tools::failure::finish;
use user_tools::handover::read_mail;

fn main() -> ExitCode {
    finish("elq", read_mail("elm"))
}
