//! A message: from the client, through the decoder, into the queue.

mod signatures;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use qmail_core::control::Map;
use qmail_core::conversation::Conversation;
use qmail_core::long_list::{Index, LongList};
use qmail_core::submit::{Refusal, Submission};
use qmail_sys::Spawn;
use qmail_wire::smtp_server::{DataDecoder, HopCounter, Reply};

use crate::broken::Broken;
use crate::journal::{Conclusion, Fate};
use crate::replies;
use crate::server::World;
use crate::transaction::Transaction;
use crate::visit::Visit;

use signatures::Signatures;

/// So many hosts only see a message that goes round in circles.
const MOST_HOPS: u32 = 100;

/// Linux takes variables of up to 128 KiB.
const MOST_TOLD: usize = 100_000;

/// Where a message goes, and how large it may be.
pub(crate) struct Receiver<'a> {
    /// The rest of the world.
    pub world: &'a World<'a>,
    /// Bytes of the largest message.
    pub limit: Option<u64>,
    /// The list of what executables look like.
    pub signatures: Option<&'a Path>,
    /// What is said to some exit codes of queue programs.
    pub texts: &'a Map,
}

impl Receiver<'_> {
    /// Takes the message, and returns what to say about it.
    pub(crate) fn receive<R: Read, W: Write>(
        self,
        client: &mut Conversation<R, W>,
        visit: &Visit,
        transaction: &Transaction,
    ) -> Result<Conclusion, Broken> {
        let Ok((mut submission, limits)) = self.start(visit, transaction) else {
            return Ok(Conclusion {
                fate: Fate::Delayed,
                reply: replies::NO_QUEUE,
                queue_id: 0,
                size: 0,
            });
        };
        client.send(&replies::GO_AHEAD.to_wire())?;
        submission.write(&visit.client.received((self.world.now)()));
        for field in &visit.fields {
            submission.write(&[field, b"\n".as_slice()].concat());
        }
        let limits = copy(client, &mut submission, limits)?;
        let (queue_id, size) = (submission.id(), limits.size);
        let finished = submission.finish_with_code(&transaction.sender, &transaction.recipients);
        let (fate, reply) = match finished {
            Ok(()) => {
                let text = format!("ok {} qp {queue_id}", (self.world.now)());
                (Fate::Accepted, Reply::with_text(250, text))
            }
            Err((refusal, code)) => {
                limits.objection().unwrap_or_else(|| verdict(self.in_own_words(refusal, code)))
            }
        };
        Ok(Conclusion { fate, reply, queue_id, size })
    }

    fn in_own_words(&self, refusal: Refusal, code: Option<u8>) -> Refusal {
        let key = code.filter(|code| *code > 0).map(|code| code.to_string());
        let words = key.and_then(|key| self.texts.get(key.as_bytes()));
        words.map_or(refusal, Refusal::from_words)
    }

    fn start(&self, visit: &Visit, transaction: &Transaction) -> io::Result<(Submission, Limits)> {
        let signatures = match self.signatures {
            Some(path) => LongList::open(path, Index::Ignored)?,
            None => None,
        };
        let named = visit.variables.value("QMAILQUEUE");
        let program = named.map_or_else(|| "bin/qmail-queue".into(), OsString::from_vec);
        let submission = Submission::start_as(program, self.world.home, |spawn| {
            tell(visit.variables.prepare(spawn), visit, transaction)
        })?;
        Ok((submission, Limits::new(self.limit, Signatures::new(signatures))))
    }
}

/// Tells the queue program what spamcontrol tells it. So many recipients that no environment can
/// hold them are not told.
fn tell<'fd>(spawn: Spawn<'fd>, visit: &Visit, transaction: &Transaction) -> Spawn<'fd> {
    let client = &visit.client;
    let spawn = spawn
        .env("HELOHOST", client.helo.as_deref().unwrap_or_default())
        .env("MAILFROM", &transaction.sender);
    let spawn = match &client.authentication {
        Some(user) => spawn.env("AUTHUSER", &user.user).env("AUTHPROTOCOL", user.method.as_bytes()),
        None => spawn,
    };
    let recipients = transaction.recipients.join(&b' ');
    if recipients.len() > MOST_TOLD {
        spawn.env_remove("RCPTTO")
    } else {
        spawn.env("RCPTTO", &recipients)
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
    largest: Option<u64>,
    size: u64,
    signatures: Signatures,
}

impl Limits {
    fn new(largest: Option<u64>, signatures: Signatures) -> Self {
        Self { hops: HopCounter::new(), looping: false, largest, size: 0, signatures }
    }

    fn count(&mut self, block: &[u8]) {
        self.looping = self.hops.count(block) >= MOST_HOPS;
        self.size = self.size.saturating_add(u64::try_from(block.len()).unwrap_or(u64::MAX));
        self.signatures.look(block);
    }

    fn objection(&self) -> Option<(Fate, Reply)> {
        if self.looping {
            return Some((Fate::Looping, replies::LOOPING));
        }
        if self.largest.is_some_and(|largest| self.size > largest) {
            return Some((Fate::TooBig, replies::TOO_LARGE));
        }
        match self.signatures.found() {
            Ok(false) => None,
            Ok(true) => Some((Fate::Unwanted, replies::EXECUTABLE)),
            Err(()) => Some((Fate::Delayed, replies::NO_QUEUE)),
        }
    }
}

fn verdict(refusal: Refusal) -> (Fate, Reply) {
    let (fate, code) = if refusal.permanent { (Fate::Rejected, 554) } else { (Fate::Delayed, 451) };
    (fate, Reply::with_text(code, refusal.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_exactly_the_limit_is_not_too_large() {
        let mut limits = Limits::new(Some(10), Signatures::new(None));
        limits.count(b"12345");
        limits.count(b"67890");
        assert_eq!(limits.objection(), None);
        limits.count(b"1");
        assert_eq!(limits.objection(), Some((Fate::TooBig, replies::TOO_LARGE)));
    }

    #[test]
    fn a_loop_is_told_before_the_size() {
        let mut limits = Limits::new(Some(10), Signatures::new(None));
        limits.count(&b"Received: x\n".repeat(99));
        assert_eq!(limits.objection(), Some((Fate::TooBig, replies::TOO_LARGE)));
        limits.count(b"Delivered-To: x\n");
        assert_eq!(limits.objection(), Some((Fate::Looping, replies::LOOPING)));
    }
}
