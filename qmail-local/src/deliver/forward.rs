//! Forwarding: one new message for all addresses.

use qmail_core::blocks::Blocks;
use qmail_core::submit::Submission;

use super::Deliver;
use crate::failure::Failure;

/// Queues the message, which is at its beginning. Returns the number that names it in the log.
pub(super) fn forward(delivery: &Deliver<'_>) -> Result<u32, Failure> {
    let show = |program| delivery.variables.show_to(program);
    let mut submission =
        Submission::start_with(delivery.qmail_home, show).map_err(Failure::Fork)?;
    let number = submission.id();
    submission.write(&delivery.lines.forwarded_to);
    let mut blocks = Blocks::new(delivery.message);
    loop {
        match blocks.next_block() {
            Ok(Some(block)) => submission.write(block),
            Ok(None) => break,
            Err(_) => {
                submission.fail();
                break;
            }
        }
    }
    submission.finish(&delivery.forward_sender, &delivery.recipients).map_err(Failure::Forward)?;
    Ok(number)
}
