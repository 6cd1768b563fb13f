//! qmail-dkim: verifies the signatures of a message on its way to qmail-queue.
//!
//! Runs as:     whoever puts the message into the queue: qmaild, as a rule; `$QMAILQUEUE` names it
//! Descriptors: 0 the message, read; 1 the envelope, for the next program; 6 words on a refusal, if
//!              it is a pipe
//! Exit codes:  those of qmail-queue, which it becomes; 31, 71 or 82 refused (`trouble.rs`)
#![forbid(unsafe_code)]

use std::env;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileTypeExt;
use std::process::ExitCode;

use qmail_dkim::{Input, Settings, run};

fn main() -> ExitCode {
    let variable = |name| env::var_os(name).map(OsStringExt::into_vec);
    let input = Input {
        message: qmail_sys::inherit(0).map(File::from),
        home: qmail_core::home::home(),
        settings: Settings {
            letters: variable("DKIMVERIFY"),
            is_relay_client: variable("RELAYCLIENT").is_some(),
            queue: variable("DKIMQUEUE").filter(|program| !program.is_empty()),
        },
    };
    let Err(trouble) = run(input);
    let told = listener().and_then(|mut words| words.write_all(trouble.words().as_bytes()));
    ExitCode::from(if told.is_ok() { trouble.code() } else { trouble.code_without_words() })
}

/// Where the caller listens. What else may be open there is none of our business.
fn listener() -> io::Result<File> {
    let number = env::var("ERROR_FD").ok().and_then(|number| number.parse().ok());
    let file = File::from(qmail_sys::inherit(number.filter(|number| *number > 1).unwrap_or(6))?);
    let is_pipe = file.metadata()?.file_type().is_fifo();
    if is_pipe { Ok(file) } else { Err(ErrorKind::NotFound.into()) }
}
