//! qmail-qhandle: lists, deletes, bounces and renews messages in the queue.
//!
//! Runs as:     root, whether qmail-send runs or not
//! Descriptors: 1 lists and what was done; 2 why it ended early, and how far it has come
//! Exit codes:  0 all was done; 1 something was not; 100 wrong usage; 111 it ended early
#![forbid(unsafe_code)]

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use qmail_core::home::home;
use qmail_queue_tools::handle::{self, Reader, Request};
use qmail_queue_tools::say::{FINE, TEMPORARY, USAGE, give_up};

fn main() -> ExitCode {
    let request = match Request::parse(std::env::args_os()) {
        Ok(request) => request,
        Err(bad) => return give_up(&bad.to_string(), USAGE),
    };
    let output = io::stdout().lock();
    let reader = if output.is_terminal() { Reader::Terminal } else { Reader::Other };
    let mut output = BufWriter::new(output);
    if request.help || request.version {
        let version = concat!("qmail-qhandle ", env!("CARGO_PKG_VERSION"), "\n");
        let text = if request.help { handle::HELP } else { version };
        let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
        return ExitCode::from(if written.is_ok() { FINE } else { TEMPORARY });
    }
    match handle::run(&request, &home(), reader, output) {
        Ok(outcome) => ExitCode::from(outcome.code()),
        Err(failure) => give_up(&format!("qmail-qhandle: fatal: {failure}"), TEMPORARY),
    }
}
