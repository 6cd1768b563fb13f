//! qmail-pop3d: lets a user read a maildir by POP3.
//!
//! Runs as:     the user, never root
//! Descriptors: 0 and 1, the client
//! Exit codes:  0 however the session ended; 1 as root; 74 a message could not be read to its end
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use qmail_core::complaint::complain;
use qmail_core::conversation::Conversation;
use qmail_pop3d::{Ended, serve};

/// How long a client may say nothing, or not listen.
const PATIENCE: Duration = Duration::from_secs(1200);

fn main() -> ExitCode {
    if qmail_sys::real_uid() == 0 || qmail_sys::effective_uid() == 0 {
        complain(b"qmail-pop3d invoked as uid 0, terminating\n");
        return ExitCode::FAILURE;
    }
    let (Ok(input), Ok(output)) = (qmail_sys::inherit(0), qmail_sys::inherit(1)) else {
        return ExitCode::SUCCESS;
    };
    let mut client = Conversation::over(input, output, PATIENCE);
    let maildir = std::env::args_os().nth(1).map(PathBuf::from);
    match serve(&mut client, maildir.as_deref(), SystemTime::now()) {
        Ended::Quit | Ended::Lost => ExitCode::SUCCESS,
        Ended::Unreadable(problem) => {
            complain(format!("qmail-pop3d: {problem}\n").as_bytes());
            ExitCode::from(74)
        }
    }
}
