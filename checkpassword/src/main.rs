//! checkpassword: checks a password and runs a program as its owner.
//!
//! Usage:       checkpassword [-f FILE] PROGRAM [ARGUMENT...]; checkpassword [-f FILE] -
//! Runs as:     root; as anybody else it can only check his own password, if he may read it
//! Descriptors: 3, or the one that CHECKPASSWORD_UNIT names: login, password and challenge, each
//!              with a NUL; all others are the program's
//! Exit codes:  those of the program, or 0 for -; 1 wrong password or no such account; 2 misused;
//!              111 try again later
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::Write;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use checkpassword::{Command, Source, account, become_user, unit};
use qmail_login::{Failure, read_request};
use qmail_sys::Spawn;

const SECONDS_PER_DAY: u64 = 86_400;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure == Failure::Exposed {
                // Without a log there is nobody to complain to.
                let _ = std::io::stderr()
                    .write_all(b"checkpassword: the file with passwords is not protected\n");
            }
            ExitCode::from(failure.code())
        }
    }
}

fn run() -> Result<(), Failure> {
    let Command { file, program, arguments } = Command::parse(std::env::args_os().skip(1))?;
    let unit = unit(std::env::var_os("CHECKPASSWORD_UNIT"))?;
    // It is closed before the program starts.
    let request = read_request(qmail_sys::inherit(unit).map(File::from))?;
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let source = file.as_deref().map_or(Source::System, Source::File);
    let user = account(&request, source, seconds / SECONDS_PER_DAY)?;
    match program {
        Some(program) => match become_user(&user, Spawn::search(program).args(arguments))? {},
        None => Ok(()),
    }
}
