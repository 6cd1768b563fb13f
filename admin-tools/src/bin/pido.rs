//! pido: writes down its process id, and becomes a program that keeps it.
//!
//! Runs as:     whoever starts a service, usually root
//! Descriptors: 2 what went wrong; all are the program's
//! Exit codes:  100 wrong usage; 111 the file cannot be written; 126 and 127 the program cannot be
//!              run, or is not there; otherwise those of the program
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use admin_tools::fatal::{PERMANENT, TEMPORARY, because, give_up};
use admin_tools::whole_file::replace;
use qmail_sys::Spawn;

const CANNOT_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let (Some(file), Some(program)) = (words.next(), words.next()) else {
        return give_up("pido: usage: pido FILE PROGRAM [ARGUMENT ...]", PERMANENT);
    };
    become_program(Path::new(&file), &program, words)
}

/// Comes back only with what went wrong.
fn become_program(
    file: &Path,
    program: &OsString,
    arguments: impl Iterator<Item = OsString>,
) -> ExitCode {
    let id = std::process::id();
    if let Err(error) = replace(file, 0o644, |file| writeln!(file, "{id}")) {
        let what = format!("pido: fatal: unable to write {}", file.display());
        return give_up(&because(&what, &error), TEMPORARY);
    }
    let error = match Spawn::search(program).args(arguments).replace() {
        Ok(never) => match never {},
        Err(error) => error,
    };
    // Nobody is to take us for the program.
    let _ = std::fs::remove_file(file);
    let what = format!("pido: fatal: unable to run {}", program.display());
    let code = if error.kind() == ErrorKind::NotFound { NOT_FOUND } else { CANNOT_RUN };
    give_up(&because(&what, &error), code)
}
