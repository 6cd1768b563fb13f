//! Puts one message into the queue.
//!
//! The message is read to its end before the envelope is touched, both in blocks: memory does not
//! grow with either.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod envelope;
mod failure;
mod invoker;
mod server;
mod worker;

use std::io::{BufReader, Read, Write};

use qmail_core::blocks::Blocks;
use qmail_core::queue::{Incoming, Queue, QueueId, Unique};

pub use failure::Failure;
pub use invoker::Invoker;
pub use server::serve;
pub use worker::Pipes;

/// All that a run depends on.
#[derive(Debug)]
pub struct Input<M, E> {
    /// Where the message comes from.
    pub message: M,
    /// Where the envelope comes from.
    pub envelope: E,
    /// Our process id, and the time.
    pub unique: Unique,
    /// The real user id.
    pub user: u32,
    /// Who that is.
    pub invoker: Invoker,
}

/// Queues the message. On success it is delivered, whatever happens from now on.
pub fn run(queue: &Queue, input: Input<impl Read, impl Read>) -> Result<QueueId, Failure> {
    let mut incoming = queue.create(input.unique)?;
    let received = input.invoker.received(input.unique);
    copy(received.into_bytes(), input.message, &mut incoming)?;
    let mut envelope = incoming.complete()?;
    let source = envelope::Source { user: input.user, process: input.unique.process };
    envelope::copy(BufReader::new(input.envelope), &source, &mut envelope)?;
    Ok(envelope.commit()?)
}

/// Writes `first`, and behind it the message. Not by `io::copy`, which does not say whether reading
/// or writing failed.
fn copy(first: Vec<u8>, message: impl Read, incoming: &mut Incoming<'_>) -> Result<(), Failure> {
    let mut blocks = Blocks::new(message);
    // The first block goes with it: a short message takes one call.
    let mut start = first;
    if let Some(block) = blocks.next_block().map_err(|_| Failure::Read)? {
        start.extend_from_slice(block);
    }
    incoming.write_all(&start).map_err(|_| Failure::Write)?;
    while let Some(block) = blocks.next_block().map_err(|_| Failure::Read)? {
        incoming.write_all(block).map_err(|_| Failure::Write)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn queue() -> (tempfile::TempDir, Queue) {
        let root = tempfile::tempdir().unwrap();
        for directory in ["pid", "mess/0", "intd", "todo", "lock"] {
            fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        let queue = Queue::open(root.path()).unwrap();
        (root, queue)
    }

    fn submit(queue: &Queue, message: &[u8], envelope: &[u8]) -> Result<QueueId, Failure> {
        let unique = Unique { process: 77, time: 1_795_252_083 };
        let invoker = Invoker::User(1000);
        run(queue, Input { message, envelope, unique, user: 1000, invoker })
    }

    #[test]
    fn a_message_is_queued_behind_its_received_line() {
        let (_root, queue) = queue();
        let id = submit(&queue, b"Subject: x\n\nhi", b"Fa@b\0Tc@d\0Te\0\0ignored").unwrap();
        let stored = String::from_utf8(fs::read(queue.mess(id)).unwrap()).unwrap();
        assert_eq!(
            stored,
            "Received: (qmail 77 invoked by uid 1000); 21 Nov 2026 09:08:03 -0000\n\
             Subject: x\n\nhi"
        );
        assert_eq!(fs::read(queue.todo(id)).unwrap(), b"u1000\0p77\0Fa@b\0Tc@d\0Te\0");
    }

    #[test]
    fn nothing_is_left_of_a_message_that_is_refused() {
        let (root, queue) = queue();
        let long = [b"Fa@b\0T".as_slice(), &[b'x'; 1003], b"\0\0"].concat();
        for (envelope, failure) in [
            (b"".as_slice(), Failure::Read),
            (b"Fa@b\0Tc@d\0", Failure::Read),
            (b"Tc@d\0\0", Failure::EnvelopeFormat),
            (b"Fa@b\0Xc@d\0\0", Failure::EnvelopeFormat),
            (&long, Failure::AddressTooLong),
        ] {
            assert_eq!(submit(&queue, b"hi", envelope).unwrap_err(), failure);
            for directory in ["pid", "mess/0", "intd", "todo"] {
                assert_eq!(fs::read_dir(root.path().join(directory)).unwrap().count(), 0);
            }
        }
    }
}
