//! A message: from the client, through the decoder, into the queue.

mod bad_types;
mod contents;
mod signatures;
mod told;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use qmail_core::control::Map;
use qmail_core::conversation::Conversation;
use qmail_core::submit::{Refusal, Submission};
use qmail_wire::smtp_server::{DataDecoder, HopCounter, Reply};

use crate::broken::Broken;
use crate::journal::{Conclusion, Fate};
use crate::replies;
use crate::server::World;
use crate::transaction::Transaction;
use crate::variables::Variables;
use crate::visit::Visit;

use contents::Contents;

/// So many hosts only see a message that goes round in circles.
const MOST_HOPS: u32 = 100;

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
                exit_code: None,
                size: 0,
            });
        };
        client.send(&replies::GO_AHEAD.to_wire())?;
        submission.write(&visit.client.received((self.world.now)()));
        for field in visit.fields.iter().chain(&told::block_list_remark(visit)) {
            submission.write(&[field, b"\n".as_slice()].concat());
        }
        let limits = copy(client, &mut submission, limits)?;
        let (queue_id, size) = (submission.id(), limits.size);
        let finished = submission.finish_with_code(&transaction.sender, &transaction.recipients);
        let exit_code = finished.as_ref().err().and_then(|(_, code)| *code);
        let (fate, reply) = match finished {
            Ok(()) => {
                let text = format!("ok {} qp {queue_id}", (self.world.now)());
                (Fate::Accepted, Reply::with_text(250, text))
            }
            Err((refusal, code)) => {
                limits.objection().unwrap_or_else(|| verdict(self.in_own_words(refusal, code)))
            }
        };
        Ok(Conclusion { fate, reply, queue_id, exit_code, size })
    }

    fn in_own_words(&self, refusal: Refusal, code: Option<u8>) -> Refusal {
        let key = code.filter(|code| *code > 0).map(|code| code.to_string());
        let words = key.and_then(|key| self.texts.get(key.as_bytes()));
        words.map_or(refusal, Refusal::from_words)
    }

    fn start(&self, visit: &Visit, transaction: &Transaction) -> io::Result<(Submission, Limits)> {
        let (home, variables) = (self.world.home, &visit.variables);
        let may_relay = visit.client.may_relay() || transaction.may_relay;
        let contents = Contents::load(self.signatures, home, variables, may_relay)?;
        let (program, server) = (queue_program(variables), self.world.queue);
        let submission = Submission::start_as(program, server, home, |spawn| {
            told::tell(variables.prepare(spawn), visit, transaction)
        })?;
        Ok((submission, Limits::new(self.limit, contents)))
    }
}

/// The one that `$QMAILQUEUE` names, if any. With `$QHPSI`, the program that asks a virus scanner comes
/// first, and then runs that one.
fn queue_program(variables: &Variables) -> Option<OsString> {
    let scans = variables.value("QHPSI").is_some_and(|scanner| !scanner.is_empty());
    if scans {
        return Some("bin/qhpsi".into());
    }
    variables.value("QMAILQUEUE").map(OsString::from_vec)
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
    contents: Contents,
}

impl Limits {
    fn new(largest: Option<u64>, contents: Contents) -> Self {
        Self { hops: HopCounter::new(), looping: false, largest, size: 0, contents }
    }

    fn count(&mut self, block: &[u8]) {
        self.looping = self.hops.count(block) >= MOST_HOPS;
        self.size = self.size.saturating_add(u64::try_from(block.len()).unwrap_or(u64::MAX));
        self.contents.look(block);
    }

    fn objection(&self) -> Option<(Fate, Reply)> {
        if self.looping {
            return Some((Fate::Looping, replies::LOOPING));
        }
        if self.largest.is_some_and(|largest| self.size > largest) {
            return Some((Fate::TooBig, replies::TOO_LARGE));
        }
        match self.contents.found() {
            Ok(None) => None,
            Ok(Some(reply)) => Some((Fate::Unwanted, reply.clone())),
            Err(_) => Some((Fate::Delayed, replies::NO_QUEUE)),
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
        let mut limits = Limits::new(Some(10), Contents::none());
        limits.count(b"12345");
        limits.count(b"67890");
        assert_eq!(limits.objection(), None);
        limits.count(b"1");
        assert_eq!(limits.objection(), Some((Fate::TooBig, replies::TOO_LARGE)));
    }

    #[test]
    fn a_loop_is_told_before_the_size() {
        let mut limits = Limits::new(Some(10), Contents::none());
        limits.count(&b"Received: x\n".repeat(99));
        assert_eq!(limits.objection(), Some((Fate::TooBig, replies::TOO_LARGE)));
        limits.count(b"Delivered-To: x\n");
        assert_eq!(limits.objection(), Some((Fate::Looping, replies::LOOPING)));
    }
}
