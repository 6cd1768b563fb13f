//! A process that queues one message after the other.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::time::Duration;

use qmail_core::keeper::next_message;
use qmail_sys::send_message;
use qmail_wire::queue_server::STRIDE;

/// How long it waits for another message.
const PATIENCE: Duration = Duration::from_secs(3);
/// Messages of one process: what it might lose of its memory is never much.
const MOST_MESSAGES: u32 = 100;

/// Where a message comes from.
#[derive(Debug)]
pub struct Pipes {
    /// Its text.
    pub message: File,
    /// Its envelope.
    pub envelope: File,
}

/// What a client has told: his pipes, and where he hears how it ended.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) pipes: Pipes,
    pub(crate) client: OwnedFd,
}

impl Task {
    /// What these descriptors are, which came with a message; `None` if they are too few or too many.
    pub(crate) fn of(descriptors: Vec<OwnedFd>) -> Option<Self> {
        let [message, envelope, client] = descriptors.try_into().ok()?;
        Some(Self { pipes: Pipes { message: message.into(), envelope: envelope.into() }, client })
    }
}

/// A process of its own.
pub(crate) struct Worker<Q> {
    /// Where further tasks come from.
    pub(crate) tasks: OwnedFd,
    /// Where it says that it has done one, by its number.
    pub(crate) done: OwnedFd,
    pub(crate) number: u32,
    pub(crate) queue: Q,
}

impl<Q: Fn(Pipes, u32) -> u8> Worker<Q> {
    /// Does this task, and those that come after it.
    pub(crate) fn work(self, first: Task) -> io::Result<()> {
        let mut done = File::from(self.done);
        let mut task = Some(first);
        for messages in 0..MOST_MESSAGES {
            let Some(Task { pipes, client }) = task else { break };
            let id = messages.saturating_mul(STRIDE).saturating_add(std::process::id());
            // He may have gone. What he has sent until then is an envelope that is cut off.
            let _ = send_message(&client, &id.to_be_bytes(), &[]);
            let code = (self.queue)(pipes, id);
            let _ = send_message(&client, &[code], &[]);
            drop(client);
            if messages + 1 == MOST_MESSAGES {
                break;
            }
            done.write_all(&self.number.to_ne_bytes())?;
            let (_, descriptors) = next_message(&self.tasks, &mut [0; 1], PATIENCE)?;
            task = Task::of(descriptors);
        }
        Ok(())
    }
}
