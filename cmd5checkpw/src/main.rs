//! cmd5checkpw: checks a password or a digest of it against a file, and runs a program.
//!
//! Usage:       cmd5checkpw [-f FILE] PROGRAM [ARGUMENT...]; cmd5checkpw [-f FILE] -
//! Runs as:     root, and then as the user whose password it was; or set-id to the owner of the
//!              file, and then as whoever started it
//! Descriptors: 3, login, password or digest, and challenge, each with a NUL
//! Exit codes:  those of the program, or 0 for -; 1 wrong password or no such user; 2 misused;
//!              111 try again later
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cmd5checkpw::{Report, become_user, password_of};
use qmail_digests::proves;
use qmail_login::{DESCRIPTOR, Failure, read_request};
use qmail_sys::Spawn;

const PASSWORDS: &str = "/etc/poppasswd";
const SYSLOG: &str = "/dev/log";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(failure.code()),
    }
}

fn run() -> Result<(), Failure> {
    let mut words = std::env::args_os().skip(1);
    let (file, program) = file_and_program(&mut words)?;
    let request = read_request(qmail_sys::inherit(DESCRIPTOR).map(File::from))?;
    let password = password_of(&file, &request.login)
        .map_err(|reason| trouble(&format!("unable to read {}: {reason}", file.display())))?;
    let proven = proves(&request, password.as_deref());
    let named = std::env::var("SMTPAUTHMETHOD").ok();
    Report::attempt(&request.login, proven, named.as_deref()).send(Path::new(SYSLOG));
    proven.ok_or(Failure::Rejected)?;
    if program == "-" {
        return Ok(());
    }
    match become_user(&request.login, Spawn::search(program).args(words)) {
        Ok(never) => match never {},
        Err(reason) => Err(trouble(&format!("unable to run the program: {reason}"))),
    }
}

fn file_and_program(
    words: &mut impl Iterator<Item = OsString>,
) -> Result<(PathBuf, OsString), Failure> {
    let first = words.next().ok_or(Failure::Misused)?;
    if first != "-f" {
        return Ok((PASSWORDS.into(), first));
    }
    let file = words.next().ok_or(Failure::Misused)?;
    Ok((file.into(), words.next().ok_or(Failure::Misused)?))
}

fn trouble(text: &str) -> Failure {
    Report::trouble(text).send(Path::new(SYSLOG));
    Failure::Temporary
}
