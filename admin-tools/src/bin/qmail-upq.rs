//! qmail-upq: moves the files of a queue to where its split wants them, after that was changed.
//!
//! Runs as:     root, with qmail-send stopped and nobody queueing
//! Descriptors: 2 what went wrong
//! Exit codes:  0 all are where they should be; 111 some are not, and none is lost
#![forbid(unsafe_code)]

use std::process::ExitCode;

use admin_tools::fatal::{TEMPORARY, because, give_up};
use admin_tools::upgrade::{open, upgrade};

fn main() -> ExitCode {
    let root = qmail_core::home::home().join("queue");
    let queue = match open(&root) {
        Ok(queue) => queue,
        Err(error) => {
            let what = format!("qmail-upq: fatal: unable to open {}", root.display());
            return give_up(&because(&what, &error), TEMPORARY);
        }
    };
    let mut code = ExitCode::SUCCESS;
    let result = upgrade(&queue, |failure| {
        code = give_up(&format!("qmail-upq: warning: {failure}"), TEMPORARY);
    });
    match result {
        Ok(_) => code,
        Err(failure) => give_up(&format!("qmail-upq: fatal: {failure}"), TEMPORARY),
    }
}
