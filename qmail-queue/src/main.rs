//! qmail-queue: puts one message into the queue.
//!
//! Runs as:     setuid qmailq, for anybody
//! Descriptors: 0 message and 1 envelope, both read; 3, if it is to stay, where messages are told
//! Exit codes:  0 queued; 11 to 40 refused for good; others, try again later (`failure.rs`)
#![forbid(unsafe_code)]

use std::env;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{self, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

use qmail_core::accounts::Accounts;
use qmail_core::home::home;
use qmail_core::queue::{Queue, Unique};
use qmail_queue::{Failure, Input, Invoker, Pipes, run, serve};
use qmail_sys::signal::{self, Signal};
use qmail_sys::{change_mask, inherit, real_uid};
use qmail_wire::queue_server::QUEUE_SERVER;
use qmail_wire::stay::SOCKET;

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
    let stays = env::args_os().nth(1).is_some_and(|first| first == QUEUE_SERVER.argument);
    let code = match prepare_signals() {
        Ok(()) if stays => serve_clients(),
        Ok(()) => queue_and_tell(own_pipes, process::id()),
        Err(_) => Failure::Bug.code(),
    };
    ExitCode::from(code)
}

/// For whoever has us stay. Returns the exit code.
fn serve_clients() -> u8 {
    let served = inherit(SOCKET).and_then(|clients| {
        serve(clients, |pipes, number| {
            let code = queue_and_tell(|| Ok(pipes), number);
            signal::exit_never();
            // Who waits does not work in the queue: qmail-qrepair would wait for him. One who cannot
            // leave it does no harm there.
            let _ = env::set_current_dir("/");
            code
        })
    });
    served.map_or(Failure::Bug.code(), |()| 0)
}

/// Queues what comes by the pipes, with this number in its names. Returns the exit code.
fn queue_and_tell(pipes: impl FnOnce() -> io::Result<Pipes>, number: u32) -> u8 {
    queue_message(pipes, number).map_or_else(|failure| failure.code(), |()| 0)
}

fn own_pipes() -> io::Result<Pipes> {
    Ok(Pipes { message: File::from(inherit(0)?), envelope: File::from(inherit(1)?) })
}

fn queue_message(pipes: impl FnOnce() -> io::Result<Pipes>, number: u32) -> Result<(), Failure> {
    signal::exit_after(LIFE_TIME_SECONDS, Failure::TimeOut.code()).map_err(|_| Failure::Bug)?;
    change_mask(0o033);
    env::set_current_dir(home()).map_err(|_| Failure::Home)?;
    let accounts = Accounts::load(Path::new(".")).ok();
    env::set_current_dir("queue").map_err(|_| Failure::Queue)?;
    let queue = Queue::open(Path::new(".")).map_err(|_| Failure::Queue)?;
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs());
    let Pipes { message, envelope } = pipes().map_err(|_| Failure::Read)?;
    let input = Input {
        message,
        envelope,
        unique: Unique { process: number, time },
        user: real_uid(),
        invoker: Invoker::of(real_uid(), accounts.as_ref()),
    };
    run(&queue, input).map(drop)
}

fn prepare_signals() -> io::Result<()> {
    signal::unblock_all()?;
    signal::ignore(&IGNORED)?;
    signal::exit_on_crash(Failure::Bug.code())
}
