//! A server for TCP: tcpserver(1), with the same command line, environment and log lines.
//!
//! What is known of a connection without asking anybody is decided on here, in one process; only
//! names and users, which others have to be asked for, take a child of their own to find out.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod address;
pub mod asking;
pub mod crowd;
pub mod ends;
pub mod environment;
pub mod facts;
pub mod failure;
pub mod lines;
pub mod listening;
pub mod log;
pub mod names;
pub mod options;
pub mod pause;
pub mod port;
pub mod reception;
pub mod server;
pub mod sessions;

use std::ffi::OsString;

use qmail_sys::signal::{self, Signal, Signals};

use failure::Failure;
use log::Log;
use options::Request;
use server::Server;
use sessions::Programs;

/// Serves until SIGTERM.
///
/// # Errors
/// If it cannot begin to; that has been told by then.
pub fn run(words: impl IntoIterator<Item = OsString>) -> Result<(), Failure> {
    let variable = |name: &str| std::env::var_os(name);
    let request = match Request::parse(words, &variable) {
        Ok(request) => request,
        Err(misuse) => return Err(told(misuse.volume, Failure::Usage(misuse))),
    };
    serve(&request).map_err(|failure| told(request.volume, failure))
}

fn serve(request: &Request) -> Result<(), Failure> {
    // Whoever started us may have ignored them, and then they would never come.
    let ours = [Signal::SIGTERM, Signal::SIGCHLD];
    signal::restore(&ours).map_err(Failure::Signals)?;
    let signals = Signals::watch(&ours).map_err(Failure::Signals)?;
    let listener = listening::open(request)?;
    let programs = Programs::new(&request.program, &request.arguments);
    Server::new(request, listener, signals, programs).run();
    Ok(())
}

fn told(volume: log::Volume, failure: Failure) -> Failure {
    let mut log = Log::new(volume);
    log.complain(&failure.to_string());
    log.flush();
    failure
}
