//! A connection to a server: replies in, commands and the message out.

use std::io::{self, ErrorKind, Read, Write};

use qmail_wire::smtp_client::{BodyEncoder, Reply, ReplyParser};

use crate::dialogue::{Dialogue, Step};
use crate::report::Report;

/// What is read from the message and written to the server at once.
const BLOCK: usize = 65536;
const REPLY_BLOCK: usize = 4096;

/// A connection, with everything that belongs to it alone: another server gets a fresh one.
#[derive(Debug)]
pub(crate) struct Connection<S> {
    stream: S,
    /// What has come and was not looked at yet: `received[looked_at..]`.
    received: Vec<u8>,
    looked_at: usize,
}

/// Why no more can be said, or heard.
#[derive(Debug)]
struct Lost;

/// Why the message did not get to the server.
enum Obstacle {
    Lost,
    Unreadable,
    Partial,
}

impl<S: Read + Write> Connection<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, received: Vec::new(), looked_at: 0 }
    }

    /// Leads the dialogue to its end.
    pub(crate) fn converse(mut self, mut dialogue: Dialogue<'_>, mut message: impl Read) -> Report {
        loop {
            let Ok(reply) = self.reply() else { return dialogue.lost() };
            dialogue = match dialogue.handle(&reply) {
                Step::Say(next, command) => match self.send(&command) {
                    Ok(()) => next,
                    Err(Lost) => return next.lost(),
                },
                Step::SendMessage(next) => match self.send_message(next, &mut message) {
                    Ok(next) => next,
                    Err(report) => return report,
                },
                Step::Over(report) => {
                    // The verdict stands, whether the server hears this or not.
                    let _: Result<(), Lost> = self.send(b"QUIT\r\n");
                    return report;
                }
            };
        }
    }

    /// Sends the message and its end. A connection in the midst of a message is simply dropped.
    fn send_message<'e>(
        &mut self,
        dialogue: Dialogue<'e>,
        message: &mut impl Read,
    ) -> Result<Dialogue<'e>, Report> {
        let end = match self.send_all_but_the_end(message) {
            Ok(end) => end,
            Err(Obstacle::Lost) => return Err(dialogue.lost()),
            Err(Obstacle::Unreadable) => return Err(dialogue.unreadable()),
            Err(Obstacle::Partial) => return Err(dialogue.partial()),
        };
        let dialogue = dialogue.ending();
        match self.send(&end) {
            Ok(()) => Ok(dialogue),
            Err(Lost) => Err(dialogue.lost()),
        }
    }

    /// Sends all full blocks, and returns the rest with the final dot. A small message is all rest:
    /// it goes in one piece, which nobody delays to wait for an acknowledgement.
    fn send_all_but_the_end(&mut self, message: &mut impl Read) -> Result<Vec<u8>, Obstacle> {
        let mut encoder = BodyEncoder::new();
        let mut block = vec![0; BLOCK];
        let mut wire = Vec::with_capacity(BLOCK);
        loop {
            let length = read(message, &mut block).map_err(|_| Obstacle::Unreadable)?;
            if length == 0 {
                break;
            }
            encoder.encode(block.get(..length).unwrap_or_default(), &mut wire);
            if wire.len() >= BLOCK {
                self.send(&wire).map_err(|Lost| Obstacle::Lost)?;
                wire.clear();
            }
        }
        encoder.finish(&mut wire).map_err(|_| Obstacle::Partial)?;
        Ok(wire)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Lost> {
        self.stream.write_all(bytes).and_then(|()| self.stream.flush()).map_err(|_| Lost)
    }

    fn reply(&mut self) -> Result<Reply, Lost> {
        let mut parser = ReplyParser::new();
        loop {
            let mut unread = self.received.get(self.looked_at..).unwrap_or_default();
            let reply = parser.feed(&mut unread).map_err(|_| Lost)?;
            self.looked_at = self.received.len() - unread.len();
            if let Some(reply) = reply {
                return Ok(reply);
            }
            self.received.resize(REPLY_BLOCK, 0);
            self.looked_at = 0;
            let length = read(&mut self.stream, &mut self.received).map_err(|_| Lost)?;
            self.received.truncate(length);
            if length == 0 {
                return Err(Lost);
            }
        }
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
