//! A server for TCP: tcpserver(1), with the same command line, environment and log lines.
//!
//! What is known of a connection without asking anybody is decided on here, in one process; only
//! names and users, which others have to be asked for, take a child of their own to find out.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod address;
mod asking;
mod crowd;
mod ends;
mod environment;
mod facts;
mod failure;
mod lines;
mod listening;
mod log;
mod names;
mod options;
mod pause;
mod port;
mod reception;
mod server;
mod sessions;

use std::ffi::OsString;

use qmail_sys::signal::{self, Signal, Signals};

use failure::Failure;
use log::{Log, Volume};
use options::Request;
use server::Server;
use sessions::Programs;

/// Serves until SIGTERM. Returns the exit code; why there is no server has been told by then.
pub fn run(words: impl IntoIterator<Item = OsString>) -> u8 {
    let variable = |name: &str| std::env::var_os(name);
    match Request::parse(words, &variable) {
        Ok(request) => {
            serve(&request).map_or_else(|failure| tell(request.volume, &failure), |()| 0)
        }
        Err(misuse) => tell(misuse.volume, &Failure::Usage(misuse)),
    }
}

fn serve(request: &Request) -> Result<(), Failure> {
    // Whoever started us may have ignored or blocked them, and then they would never come.
    let ours = [Signal::SIGTERM, Signal::SIGCHLD];
    signal::restore(&ours).and_then(|()| signal::unblock_all()).map_err(Failure::Signals)?;
    // Name servers take their time. Until then SIGTERM ends us as it would anybody.
    let place = listening::place(request)?;
    let signals = Signals::watch(&ours).map_err(Failure::Signals)?;
    let listener = listening::open(place, request)?;
    let programs = Programs::new(&request.program, &request.arguments);
    Server::new(request, listener, signals, programs).run();
    Ok(())
}

fn tell(volume: Volume, failure: &Failure) -> u8 {
    let mut log = Log::new(volume);
    log.complain(&failure.to_string());
    log.flush();
    failure.code()
}
