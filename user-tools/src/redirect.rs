//! Queueing the message that is being delivered once more: for forward and condredirect.

use std::io::{self, Read};

use qmail_core::blocks::Blocks;
use qmail_core::home::home;
use qmail_core::submit::Submission;

use crate::failure::Failure;

/// Queues `delivered_to` and the message behind it. Returns the number that names it in the log.
pub fn redirect<A: AsRef<[u8]>>(
    delivered_to: &[u8],
    message: &mut impl Read,
    sender: &[u8],
    recipients: impl IntoIterator<Item = A>,
) -> Result<u32, Failure> {
    let mut submission =
        Submission::start(&home()).map_err(|error| Failure::system("unable to fork", &error))?;
    let id = submission.id();
    submission.write(delivered_to);
    // A submission that is dropped here queues nothing.
    let unreadable = |error: io::Error| Failure::system("unable to read message", &error);
    let mut blocks = Blocks::new(message);
    while let Some(block) = blocks.next_block().map_err(unreadable)? {
        submission.write(block);
    }
    submission.finish(sender, recipients)?;
    Ok(id)
}
