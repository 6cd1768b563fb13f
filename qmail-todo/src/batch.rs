//! Several messages at once, from `todo/` to qmail-send.
//!
//! The order is the specification (docs/ARCHITECTURE.md, The queue): for each message its files are
//! written, then they and their names reach the disk, and only then its envelope goes from `todo/` and
//! qmail-send hears of it. Whatever fails leaves the message in `todo/`, to be done again from
//! the start.

mod sync;
mod write;

use std::io;

use qmail_core::queue::{Channel, Queue, QueueId};
use qmail_wire::todo::News;

use crate::cleaner::{self, Cleaner};
use crate::lines::{Trouble, warning};
use crate::pass::Found;
use crate::reporter::Reporter;
use crate::route::Routes;

pub(crate) use sync::Disk;
pub(crate) use write::{Written, WrittenFile};

/// Messages that are worked on at once, if so many are there: nobody waits for them. They are few
/// enough that the first need not wait long for the others, and that their files can all be open.
pub(crate) const SIZE: usize = 32;

const _: () = assert!(SIZE <= cleaner::AT_ONCE);

/// Preprocesses messages; whether all of them have gone from `todo/`.
///
/// # Errors
/// If qmail-clean is gone.
pub(crate) fn process(
    queue: &Queue,
    routes: &Routes,
    ids: &[QueueId],
    found: Found,
    disk: &mut Disk,
    cleaner: &mut Cleaner,
    reporter: &mut Reporter,
) -> io::Result<bool> {
    let mut written = Vec::with_capacity(ids.len());
    let mut all = true;
    for id in ids {
        match write::write(queue, routes, *id, reporter) {
            Ok(message) => written.push(message),
            Err(Trouble::Gone(_)) if found == Found::Told => {}
            Err(trouble) => {
                reporter.log(warning(&trouble));
                all = false;
            }
        }
    }
    let (safe, troubles) = disk.sync(queue, written);
    for trouble in troubles {
        reporter.log(warning(&trouble));
        all = false;
    }
    if safe.is_empty() {
        return Ok(all);
    }
    let ids: Vec<QueueId> = safe.iter().map(|message| message.id).collect();
    let gone = cleaner.clean(queue, &ids)?;
    for (message, gone) in safe.iter().zip(gone) {
        if gone {
            reporter.tell(&news(message));
        } else {
            reporter.log(warning(&Trouble::Clean(queue.todo_name("todo", message.id))));
            all = false;
        }
    }
    Ok(all)
}

fn news(message: &Written) -> News {
    News::Preprocessed {
        id: message.id.as_u64(),
        local: message.has(Channel::Local),
        remote: message.has(Channel::Remote),
    }
}

#[cfg(test)]
mod tests;
