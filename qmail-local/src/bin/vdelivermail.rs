//! vdelivermail: delivers to a user of a domain of vpopmail.
//!
//! Usage:       vdelivermail '' bounce-no-mailbox; also delete, a user's directory, or an address
//! Runs as:     the account of the domain, by qmail-local, in the directory of the domain
//! Descriptors: 0 message, a file or, behind a filter, a pipe; 1 the report
//! Exit codes:  0 done; 99 done, and no further instructions; 100 refused for good; 111 try later
#![forbid(unsafe_code)]

use std::env;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use qmail_core::errno;
use qmail_core::maildir::Names;
use qmail_local::settings::Settings;
use qmail_local::virtual_user::{Surroundings, Words, rewindable, run};

const LATER: u8 = 111;

fn main() -> ExitCode {
    let (code, mut text) = match gather_and_run() {
        Ok(outcome) => outcome,
        Err(text) => (LATER, text),
    };
    if !text.is_empty() {
        text.push(b'\n');
        // Who does not listen still gets the exit code.
        let _ = io::stdout().write_all(&text);
    }
    ExitCode::from(code)
}

fn gather_and_run() -> Result<(u8, Vec<u8>), Vec<u8>> {
    qmail_sys::change_mask(0o077);
    let variable = |name: &str| env::var_os(name).map(OsStringExt::into_vec);
    let arguments: Vec<Vec<u8>> = env::args_os().skip(1).map(OsStringExt::into_vec).collect();
    let words = Words::read(&arguments, variable)?;
    let settings =
        Settings::read(variable).map_err(|failure| failure.message().trim_ascii_end().to_vec())?;
    let message = qmail_sys::inherit(0).map(File::from);
    let domain = env::current_dir();
    let (Ok(message), Ok(domain)) = (message, domain) else {
        return Err(b"vdelivermail: no message, or no directory. (#4.3.0)".to_vec());
    };
    let mut names = Names::new(std::process::id(), &qmail_sys::host_name().unwrap_or_default());
    let message = rewindable(message, &domain, &mut names).map_err(|error| {
        let reason = errno::text(&error);
        format!("vdelivermail: unable to read the message: {reason}. (#4.3.0)")
    })?;
    let surroundings = Surroundings {
        qmail_home: &qmail_core::home::home(),
        domain: &domain,
        names,
        settings,
        message: &message,
    };
    Ok(run(&words, surroundings).code_and_text())
}
