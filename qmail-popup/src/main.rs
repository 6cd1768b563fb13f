//! qmail-popup: reads a POP3 user name and password.
//!
//! Usage:       qmail-popup HOSTNAME SUBPROGRAM [ARGUMENT...]
//! Runs as:     whoever may start the subprogram: root, as a rule
//! Descriptors: 0 and 1, the client; the subprogram gets both, and the password on 3
//! Exit codes:  1, whatever happened
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use qmail_core::conversation::Conversation;
use qmail_core::timed::Timed;
use qmail_popup::{Login, challenge, refuse_usage, serve};
use qmail_sys::signal::{self, Signal};

/// How long a client may say nothing, or not listen.
const PATIENCE: Duration = Duration::from_secs(1200);

fn main() -> ExitCode {
    // Whoever talks to us cannot see an error, except that there is no greeting.
    let _ = run();
    ExitCode::FAILURE
}

fn run() -> std::io::Result<()> {
    // Who started us may have ignored it, and then nobody could tell how the subprogram ended.
    signal::restore(&[Signal::SIGCHLD])?;
    let (input, output) = (qmail_sys::inherit(0)?, qmail_sys::inherit(1)?);
    let mut client = Conversation::new(
        Timed::new(input.try_clone()?, PATIENCE),
        Timed::new(output.try_clone()?, PATIENCE),
        // What comes behind the password is for the subprogram: it must stay unread.
        1,
    );
    let mut words = std::env::args_os().skip(1);
    let (Some(host), Some(program)) = (words.next(), words.next()) else {
        refuse_usage(&mut client);
        return Ok(());
    };
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let login = Login {
        program,
        arguments: words.collect(),
        input,
        output,
        challenge: challenge(std::process::id(), seconds, &host),
    };
    serve(&mut client, &login);
    Ok(())
}
