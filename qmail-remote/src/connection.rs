//! A connection to a server: replies in, commands and the message out.

use std::io::{self, ErrorKind, Read};

use qmail_core::blocks::{BLOCK, Blocks};
use qmail_wire::smtp_client::{BodyEncoder, Reply, ReplyParser};

use crate::channel::Channel;
use crate::dialogue::{Dialogue, Ending, Lost, Step};
use crate::report::{PARTIAL_LAST_LINE, UNREADABLE_MESSAGE, Verdict};
use crate::security::TlsFailure;

/// What is read from the server at once.
const REPLY_BLOCK: usize = 4096;

/// A connection, with everything that belongs to it alone: another server gets a fresh one.
#[derive(Debug)]
pub(crate) struct Connection<C> {
    channel: C,
    /// What has come and was not looked at yet: `received[looked_at..]`.
    received: Vec<u8>,
    looked_at: usize,
}

/// Why the message did not get to the server.
enum Obstacle {
    Lost(Lost),
    Unreadable,
    Partial,
}

impl<C: Channel> Connection<C> {
    pub(crate) fn new(channel: C) -> Self {
        Self { channel, received: Vec::new(), looked_at: 0 }
    }

    /// Leads the dialogue to its end. `explain` has the words for a failure of TLS.
    pub(crate) fn converse(
        mut self,
        mut step: Step<'_>,
        message: &mut impl Read,
        explain: impl Fn(&TlsFailure) -> String,
    ) -> Ending {
        loop {
            let dialogue = match step {
                Step::Listen(dialogue) => dialogue,
                Step::Say(dialogue, command) => match self.send(&command) {
                    Ok(()) => dialogue,
                    Err(lost) => return dialogue.lost(lost),
                },
                Step::Secure(dialogue) => {
                    step = match self.secure() {
                        Ok(session) => dialogue.secured(session),
                        Err(failure) => return dialogue.insecure(&explain(&failure)),
                    };
                    continue;
                }
                Step::SendMessage(dialogue) => match self.send_message(dialogue, message) {
                    Ok(dialogue) => dialogue,
                    Err(ending) => return ending,
                },
                Step::Over(ending) => {
                    // The verdict stands, whether the server hears this or not.
                    let _: Result<(), Lost> = self.send(b"QUIT\r\n");
                    return ending;
                }
            };
            step = match self.reply() {
                Ok(reply) => dialogue.handle(&reply),
                Err(lost) => return dialogue.lost(lost),
            };
        }
    }

    /// Goes over to TLS. What has come already came in plain text, perhaps from somebody who hopes
    /// that we take it for something said inside.
    fn secure(&mut self) -> Result<qmail_tls::Session, TlsFailure> {
        if self.looked_at < self.received.len() {
            return Err(TlsFailure::Spoke);
        }
        self.channel.secure()
    }

    /// Sends the message and its end. A connection in the midst of a message is simply dropped.
    fn send_message<'e>(
        &mut self,
        dialogue: Dialogue<'e>,
        message: &mut impl Read,
    ) -> Result<Dialogue<'e>, Ending> {
        let end = match self.send_all_but_the_end(message) {
            Ok(end) => end,
            Err(Obstacle::Lost(lost)) => return Err(dialogue.lost(lost)),
            Err(Obstacle::Unreadable) => {
                return Err(dialogue.unsendable(Verdict::Later, UNREADABLE_MESSAGE));
            }
            Err(Obstacle::Partial) => {
                return Err(dialogue.unsendable(Verdict::Never, PARTIAL_LAST_LINE));
            }
        };
        let dialogue = dialogue.ending();
        match self.send(&end) {
            Ok(()) => Ok(dialogue),
            Err(lost) => Err(dialogue.lost(lost)),
        }
    }

    /// Sends all full blocks, and returns the rest with the final dot. A small message is all rest:
    /// it goes in one piece, which nobody delays to wait for an acknowledgement.
    fn send_all_but_the_end(&mut self, message: &mut impl Read) -> Result<Vec<u8>, Obstacle> {
        let mut encoder = BodyEncoder::new();
        let mut blocks = Blocks::new(message);
        let mut wire = Vec::new();
        while let Some(block) = blocks.next_block().map_err(|_| Obstacle::Unreadable)? {
            encoder.encode(block, &mut wire);
            if wire.len() >= BLOCK {
                self.send(&wire).map_err(Obstacle::Lost)?;
                wire.clear();
            }
        }
        encoder.finish(&mut wire).map_err(|_| Obstacle::Partial)?;
        Ok(wire)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Lost> {
        self.channel.renew();
        self.channel
            .write_all(bytes)
            .and_then(|()| self.channel.flush())
            .map_err(|error| how(&error))
    }

    fn reply(&mut self) -> Result<Reply, Lost> {
        let mut parser = ReplyParser::new();
        self.channel.renew();
        loop {
            let mut unread = self.received.get(self.looked_at..).unwrap_or_default();
            let reply = parser.feed(&mut unread).map_err(|_| Lost::Unbearable)?;
            self.looked_at = self.received.len() - unread.len();
            if let Some(reply) = reply {
                return Ok(reply);
            }
            self.received.resize(REPLY_BLOCK, 0);
            self.looked_at = 0;
            let result = read(&mut self.channel, &mut self.received);
            self.received.truncate(*result.as_ref().unwrap_or(&0));
            if result.map_err(|error| how(&error))? == 0 {
                return Err(Lost::Closed);
            }
        }
    }
}

fn how(error: &io::Error) -> Lost {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Lost::Unbearable,
        _ => Lost::Closed,
    }
}

/// Reads what there is; 0 is the end.
fn read(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
