//! qmail-local: delivers a message to a user as his instructions say.
//!
//! Runs as:     the recipient, by qmail-lspawn; as root only to stay, and have a copy of itself become
//!              each recipient (qmail_forkserver)
//! Descriptors: 0 message, a file that can be rewound (not used with -n); 1 and 2 the report
//! Exit codes:  0 done; 100 refused for good, also wrong usage; 111 try again later
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use qmail_local::arguments::Arguments;
use qmail_local::failure::Failure;
use qmail_local::settings::Settings;
use qmail_local::{Surroundings, run};

fn main() -> ExitCode {
    qmail_forkserver::main(|arguments| {
        let Err(failure) = gather_and_run(arguments) else { return 0 };
        // Who does not listen still gets the exit code.
        let _ = io::stderr().write_all(&failure.message());
        failure.code()
    })
}

fn gather_and_run(arguments: Vec<OsString>) -> Result<(), Failure> {
    // What we create is the user's alone. A delivery must not depend on what is blocked.
    qmail_sys::change_mask(0o077);
    let _ = qmail_sys::signal::unblock_all();
    let arguments = Arguments::parse(arguments)?;
    let settings = Settings::read(|name| std::env::var_os(name).map(OsStringExt::into_vec))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let surroundings = Surroundings {
        qmail_home: &qmail_core::home::home(),
        now: now.as_secs(),
        process: std::process::id(),
        host: &qmail_sys::host_name().unwrap_or_default(),
        settings,
        message: qmail_sys::inherit(0).ok().map(File::from),
        output: &mut io::stdout(),
        warnings: &mut io::stderr(),
    };
    run(&arguments, surroundings)
}
