//! qmail-todo: sorts new messages into local and remote recipients.
//!
//! Runs as:     qmails, started by qmail-start
//! Descriptors: 0 orders from qmail-send, 1 news for qmail-send, 2 requests to qmail-clean, 3 its
//!              replies
//! Exit codes:  0 told to stop, or qmail-send or qmail-clean is gone; 111 could not start
#![forbid(unsafe_code)]

use std::fs::File;
use std::process::ExitCode;

use qmail_todo::{Pipes, run};

fn main() -> ExitCode {
    qmail_core::heap::keep_pages();
    match pipes().map(run) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) | Err(_) => ExitCode::from(111),
    }
}

fn pipes() -> std::io::Result<Pipes> {
    Ok(Pipes {
        orders: qmail_sys::inherit(0)?,
        news: File::from(qmail_sys::inherit(1)?),
        requests: File::from(qmail_sys::inherit(2)?),
        replies: File::from(qmail_sys::inherit(3)?),
    })
}
