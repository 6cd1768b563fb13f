//! A message: from the client, through the decoder, into the queue.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt;

use qmail_core::conversation::Conversation;
use qmail_core::submit::{Refusal, Submission};
use qmail_wire::smtp_server::{DataDecoder, HopCounter, Reply};

use crate::broken::Broken;
use crate::replies;
use crate::server::World;
use crate::transaction::Transaction;
use crate::visit::Visit;

/// So many hosts only see a message that goes round in circles.
const MOST_HOPS: u32 = 100;

/// Where a message goes, and how large it may be.
pub(crate) struct Receiver<'a> {
    /// The rest of the world.
    pub world: &'a World<'a>,
    /// Bytes of the largest message.
    pub limit: Option<u64>,
}

impl Receiver<'_> {
    /// Takes the message, and returns what to say about it.
    pub(crate) fn receive<R: Read, W: Write>(
        self,
        client: &mut Conversation<R, W>,
        visit: &Visit,
        transaction: &Transaction,
    ) -> Result<Reply, Broken> {
        let Ok(mut submission) = self.start(visit) else {
            return Ok(replies::NO_QUEUE);
        };
        client.send(&replies::GO_AHEAD.to_wire())?;
        submission.write(&visit.client.received((self.world.now)()));
        for field in &visit.fields {
            submission.write(&[field, b"\n".as_slice()].concat());
        }
        let limits = copy(client, &mut submission, Limits::new(self.limit))?;
        let id = submission.id();
        Ok(match submission.finish(&transaction.sender, &transaction.recipients) {
            Ok(()) => Reply::with_text(250, format!("ok {} qp {id}", (self.world.now)())),
            Err(refusal) => limits.objection().unwrap_or_else(|| reply_for(refusal)),
        })
    }

    fn start(&self, visit: &Visit) -> io::Result<Submission> {
        let named = visit.variables.value("QMAILQUEUE");
        let program = named.map_or_else(|| "bin/qmail-queue".into(), OsString::from_vec);
        Submission::start_as(program, self.world.home, |spawn| visit.variables.prepare(spawn))
    }
}

/// Reads to the end of the message even if it is refused already, to find the next command.
fn copy<R: Read, W: Write>(
    client: &mut Conversation<R, W>,
    submission: &mut Submission,
    mut limits: Limits,
) -> Result<Limits, Broken> {
    let mut decoder = DataDecoder::new();
    let mut message = Vec::new();
    loop {
        message.clear();
        let block = client.block()?;
        let length = block.len();
        let end = decoder.decode(block, &mut message)?;
        client.consume(end.unwrap_or(length));
        limits.count(&message);
        if limits.objection().is_some() {
            submission.fail();
        }
        submission.write(&message);
        if end.is_some() {
            return Ok(limits);
        }
    }
}

/// What may be wrong with a message as such.
struct Limits {
    hops: HopCounter,
    looping: bool,
    bytes_left: Option<u64>,
    too_large: bool,
}

impl Limits {
    fn new(largest: Option<u64>) -> Self {
        Self { hops: HopCounter::new(), looping: false, bytes_left: largest, too_large: false }
    }

    fn count(&mut self, block: &[u8]) {
        self.looping = self.hops.count(block) >= MOST_HOPS;
        if let Some(left) = &mut self.bytes_left {
            let length = u64::try_from(block.len()).unwrap_or(u64::MAX);
            self.too_large = self.too_large || length > *left;
            *left = left.saturating_sub(length);
        }
    }

    fn objection(&self) -> Option<Reply> {
        if self.looping {
            return Some(replies::LOOPING);
        }
        self.too_large.then_some(replies::TOO_LARGE)
    }
}

fn reply_for(refusal: Refusal) -> Reply {
    Reply::with_text(if refusal.permanent { 554 } else { 451 }, refusal.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_exactly_the_limit_is_not_too_large() {
        let mut limits = Limits::new(Some(10));
        limits.count(b"12345");
        limits.count(b"67890");
        assert_eq!(limits.objection(), None);
        limits.count(b"1");
        assert_eq!(limits.objection(), Some(replies::TOO_LARGE));
    }

    #[test]
    fn a_loop_is_told_before_the_size() {
        let mut limits = Limits::new(Some(10));
        limits.count(&b"Received: x\n".repeat(99));
        assert_eq!(limits.objection(), Some(replies::TOO_LARGE));
        limits.count(b"Delivered-To: x\n");
        assert_eq!(limits.objection(), Some(replies::LOOPING));
    }
}
