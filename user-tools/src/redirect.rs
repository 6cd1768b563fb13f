//! Queueing the message that is being delivered once more: for forward and condredirect.

use std::io::{self, Read};

use qmail_core::home::home;
use qmail_core::submit::Submission;

use crate::failure::Failure;

const BLOCK: usize = 65_536;

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
    copy(message, |block| submission.write(block))
        .map_err(|error| Failure::system("unable to read message", &error))?;
    submission.finish(sender, recipients)?;
    Ok(id)
}

/// Reads to the end, block by block.
pub fn copy(input: &mut impl Read, mut write: impl FnMut(&[u8])) -> io::Result<()> {
    let mut block = vec![0; BLOCK];
    loop {
        match input.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(length) => write(block.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
