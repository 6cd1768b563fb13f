//! qmail-qread: lists the messages in the queue and their recipients.
//!
//! Runs as:     root, or a user of qmail who may read the queue
//! Descriptors: 1 the list, or what went wrong
//! Exit codes:  0 listed; 111 the queue is out of reach
#![forbid(unsafe_code)]

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use admin_tools::fatal::{TEMPORARY, because, give_up_loudly};
use admin_tools::queue_list::{Failure, list};
use qmail_core::queue::Queue;

fn main() -> ExitCode {
    let root = qmail_core::home::home().join("queue");
    if let Err(error) = std::env::set_current_dir(&root) {
        return give_up_loudly(&because("fatal: unable to chdir", &error), TEMPORARY);
    }
    let queue = match Queue::open(&root) {
        Ok(queue) => queue,
        Err(error) => return unreadable("mess", &error),
    };
    let mut output = BufWriter::new(io::stdout().lock());
    let result = list(&queue, &mut output);
    let flushed = output.flush();
    drop(output);
    match result {
        Ok(()) if flushed.is_ok() => ExitCode::SUCCESS,
        Err(Failure::Directory(name, error)) => unreadable(&name, &error),
        Ok(()) | Err(Failure::Write(_)) => ExitCode::from(TEMPORARY),
    }
}

fn unreadable(directory: &str, error: &io::Error) -> ExitCode {
    give_up_loudly(&because(&format!("fatal: unable to opendir {directory}"), error), TEMPORARY)
}
