//! qmail-clean: removes what is finished from the queue.
//!
//! Runs as:     qmailq, started by qmail-start
//! Descriptors: 0 requests, 1 replies
//! Exit codes:  0 no more requests; 100 nobody takes a reply; 111 the queue or the requests cannot
//!              be read
#![forbid(unsafe_code)]

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use qmail_clean::{Failure, run};
use qmail_core::home::home;
use qmail_core::queue::Queue;

fn main() -> ExitCode {
    qmail_core::heap::keep_pages();
    match clean() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(failure.code()),
    }
}

fn clean() -> Result<(), Failure> {
    std::env::set_current_dir(home().join("queue")).map_err(Failure::Queue)?;
    let queue = Queue::open(Path::new("")).map_err(Failure::Queue)?;
    let requests = File::from(qmail_sys::inherit(0).map_err(Failure::Read)?);
    let replies = File::from(qmail_sys::inherit(1).map_err(Failure::Reply)?);
    run(&queue, requests, replies, SystemTime::now)
}
