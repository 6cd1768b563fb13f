//! qmail-smtpd: takes mail from the network by SMTP.
//!
//! Runs as:     qmaild, a process for each connection
//! Descriptors: 0 and 1, the client
//! Exit codes:  0 after QUIT; 1 if the connection ended in any other way
#![forbid(unsafe_code)]

use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use qmail_core::conversation::Conversation;
use qmail_core::home::home;
use qmail_smtpd::{DEFAULT_PATIENCE, Ended, Settings, refuse, serve};

fn main() -> ExitCode {
    let home = home();
    let variable = |name: &str| std::env::var_os(name).map(OsStringExt::into_vec);
    let settings = Settings::read(&home, &variable);
    let (Ok(input), Ok(output)) = (qmail_sys::inherit(0), qmail_sys::inherit(1)) else {
        return ExitCode::FAILURE;
    };
    let patience = settings.as_ref().map_or(DEFAULT_PATIENCE, |settings| settings.patience);
    let mut client = Conversation::over(input, output, patience);
    let ended = match settings {
        Ok(settings) => serve(&mut client, settings, &home, unix_seconds),
        Err(unreadable) => refuse(&mut client, &unreadable.reply()),
    };
    match ended {
        Ended::Quit => ExitCode::SUCCESS,
        Ended::Otherwise => ExitCode::FAILURE,
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
