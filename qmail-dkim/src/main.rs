//! qmail-dkim: verifies the signatures of a message on its way to qmail-queue.
//!
//! Runs as:     whoever puts the message into the queue: qmaild, as a rule; `$QMAILQUEUE` names it
//! Descriptors: 0 the message, read; 1 the envelope, for the next program; 6 words on a refusal, if
//!              it is a pipe
//! Exit codes:  those of qmail-queue, which it becomes; 31, 71 or 82 refused (`trouble.rs`)
#![forbid(unsafe_code)]

use std::env;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use qmail_core::own_words::{VARIABLE, listener};
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
    let listener = listener(env::var(VARIABLE).ok().as_deref());
    let told = listener.and_then(|mut words| words.write_all(trouble.words().as_bytes()));
    ExitCode::from(if told.is_ok() { trouble.code() } else { trouble.code_without_words() })
}
