//! qmail-qstat: counts the messages in the queue.
//!
//! Runs as:     root, or a user of qmail who may read the queue
//! Descriptors: 1 the counts; 2 what went wrong
//! Exit codes:  0 counted; 111 the queue is out of reach
#![forbid(unsafe_code)]

use std::process::ExitCode;

use admin_tools::fatal::{TEMPORARY, because, give_up, print, printed};
use admin_tools::queue_count::count_files;
use qmail_core::queue::Queue;

fn main() -> ExitCode {
    let root = qmail_core::home::home().join("queue");
    let counted = Queue::open(&root).and_then(|queue| {
        let messages = count_files(queue.parts("mess"))?;
        Ok((messages, count_files(queue.todo_parts())?))
    });
    match counted {
        Ok((messages, todo)) => printed(print(
            format!(
                "messages in queue: {messages}\n\
                 messages in queue but not yet preprocessed: {todo}\n"
            )
            .as_bytes(),
        )),
        Err(error) => {
            let what = format!("qmail-qstat: fatal: unable to read {}", root.display());
            give_up(&because(&what, &error), TEMPORARY)
        }
    }
}
