//! How far a message has come, as its files tell.

use std::path::PathBuf;

use qmail_core::queue::{Channel, Queue, QueueId};

use super::{look, modified};
use crate::channels::PerChannel;
use crate::schedule::Time;

/// How far a message has come that has a file in `info/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is being preprocessed, or will be again.
    Preprocessing,
    /// When it is to be tried on the channels where it has recipients.
    Deliverable(PerChannel<Option<Time>>),
    /// It has no recipients left.
    Finished,
}

/// Looks at the files of a message.
///
/// # Errors
/// The file about which nothing can be found out.
pub(crate) fn standing(queue: &Queue, id: QueueId) -> Result<Standing, PathBuf> {
    let todo = queue.todo(id);
    if look(&todo).map_err(|_| todo)?.is_some() {
        return Ok(Standing::Preprocessing);
    }
    let mut due = PerChannel::default();
    for channel in Channel::ALL {
        let path = queue.recipients(channel, id);
        *due.of_mut(channel) = look(&path).map_err(|_| path)?.map(|file| modified(&file));
    }
    let finished = due.iter().all(Option::is_none);
    Ok(if finished { Standing::Finished } else { Standing::Deliverable(due) })
}
