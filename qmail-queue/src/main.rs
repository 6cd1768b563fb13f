//! qmail-queue: puts one message into the queue.
//!
//! Runs as:     setuid qmailq, for anybody
//! Descriptors: 0 message and 1 envelope, both read
//! Exit codes:  0 queued; 11 to 40 refused for good; others, try again later (`failure.rs`)
#![forbid(unsafe_code)]

use std::env;
use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use qmail_core::accounts::Accounts;
use qmail_core::home::home;
use qmail_core::queue::{Queue, Unique};
use qmail_queue::{Failure, Input, Invoker, run};
use qmail_sys::signal::{self, Signal};
use qmail_sys::{change_mask, inherit, real_uid};

/// Shorter than the 36 hours after which qmail-send takes our files for litter.
const LIFE_TIME_SECONDS: u32 = 86_400;

const IGNORED: [Signal; 8] = [
    Signal::SIGPIPE,
    Signal::SIGVTALRM,
    Signal::SIGPROF,
    Signal::SIGQUIT,
    Signal::SIGINT,
    Signal::SIGHUP,
    Signal::SIGXCPU,
    Signal::SIGXFSZ,
];

fn main() -> ExitCode {
    match queue_message() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(failure.code()),
    }
}

fn queue_message() -> Result<(), Failure> {
    prepare_signals().map_err(|_| Failure::Bug)?;
    change_mask(0o033);
    env::set_current_dir(home()).map_err(|_| Failure::Home)?;
    let accounts = Accounts::load(Path::new(".")).ok();
    env::set_current_dir("queue").map_err(|_| Failure::Queue)?;
    let queue = Queue::open(Path::new(".")).map_err(|_| Failure::Queue)?;
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs());
    let input = Input {
        message: File::from(inherit(0).map_err(|_| Failure::Read)?),
        envelope: File::from(inherit(1).map_err(|_| Failure::Read)?),
        unique: Unique { process: std::process::id(), time },
        user: real_uid(),
        invoker: Invoker::of(real_uid(), accounts.as_ref()),
    };
    run(&queue, input).map(drop)
}

fn prepare_signals() -> std::io::Result<()> {
    signal::unblock_all()?;
    signal::ignore(&IGNORED)?;
    signal::exit_on_crash(Failure::Bug.code())?;
    signal::exit_after(LIFE_TIME_SECONDS, Failure::TimeOut.code())
}
