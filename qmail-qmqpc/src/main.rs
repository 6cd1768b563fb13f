//! qmail-qmqpc: has a message queued by a QMQP server, in place of qmail-queue.
//!
//! Runs as:     whoever sends the message
//! Descriptors: 0 message and 1 envelope, both read; 6 the server's words, written, if it is a pipe
//! Exit codes:  0 queued; 11 and 31 refused for good; 51 to 91, try again later; 82 with text on
//!              descriptor 6
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::BufReader;
use std::process::ExitCode;

use qmail_core::own_words::VARIABLE;
use qmail_qmqpc::failure::Failure;
use qmail_qmqpc::reply::Reply;
use qmail_qmqpc::{run, words};

fn main() -> ExitCode {
    ExitCode::from(match gather_and_run() {
        Ok(reply) => words::tell(&reply, std::env::var(VARIABLE).ok().as_deref()),
        Err(failure) => failure.code(),
    })
}

fn gather_and_run() -> Result<Reply, Failure> {
    let inherit = |number| qmail_sys::inherit(number).map_err(|error| Failure::reading(&error));
    let mut message = File::from(inherit(0)?);
    let mut envelope = BufReader::new(File::from(inherit(1)?));
    run(&qmail_core::home::home(), &mut message, &mut envelope)
}
