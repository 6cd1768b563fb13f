//! qmail-send: schedules deliveries and sends bounces.
//!
//! Runs as:     qmails; qmail-start becomes it
//! Descriptors: 0 log, written; 1 and 2 to and from qmail-lspawn; 3 and 4 to and from qmail-rspawn;
//!              5 and 6 to and from qmail-clean; 7 and 8 to and from qmail-todo
//! Exit codes:  0 stopped, or one of the others is gone; 111 could not start
#![forbid(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::process::ExitCode;

use qmail_send::{Ends, Pipes, run};

fn main() -> ExitCode {
    qmail_core::heap::keep_pages();
    match pipes().map(run) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) | Err(_) => ExitCode::from(111),
    }
}

fn pipes() -> io::Result<Pipes> {
    Ok(Pipes {
        log: qmail_sys::inherit(0)?,
        local: ends(1, 2)?,
        remote: ends(3, 4)?,
        clean: ends(5, 6)?,
        todo: todo(),
    })
}

/// Netqmail's qmail-start makes no pipes to a qmail-todo. What is open there may be anything, then.
fn todo() -> Option<Ends> {
    let is_pipe =
        |file: &File| file.metadata().is_ok_and(|metadata| metadata.file_type().is_fifo());
    ends(7, 8).ok().filter(|ends| is_pipe(&ends.to) && is_pipe(&ends.from))
}

fn ends(to: u8, from: u8) -> io::Result<Ends> {
    let (to, from) = (qmail_sys::inherit(to)?, qmail_sys::inherit(from)?);
    Ok(Ends { to: File::from(to), from: File::from(from) })
}
