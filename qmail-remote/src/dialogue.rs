//! The SMTP dialogue, without its socket: a reply in, the next step out.

use std::net::IpAddr;

use qmail_wire::smtp_client::{Class, Reply};

use crate::envelope::Envelope;
use crate::report::{Fate, PARTIAL_LAST_LINE, Records, Report, UNREADABLE_MESSAGE, Verdict};

/// A dialogue that waits for a reply.
#[derive(Debug)]
pub(crate) struct Dialogue<'e> {
    /// As we call ourselves.
    greeting_name: &'e [u8],
    envelope: &'e Envelope,
    peer: IpAddr,
    records: Records,
    /// Whether a recipient was accepted.
    any_accepted: bool,
    awaited: Awaited<'e>,
}

/// What the next reply answers.
#[derive(Clone, Copy, Debug)]
enum Awaited<'e> {
    Connection,
    Hello,
    Sender,
    /// A recipient; those whom the server has not heard of follow.
    Recipient(&'e [Vec<u8>]),
    Data,
    /// The message, of which the end may be missing.
    Message,
    /// The message, or what the server got of its end.
    End,
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Step<'e> {
    /// Send this, then wait for a reply.
    Say(Dialogue<'e>, Vec<u8>),
    /// Send the message and its end, then wait for a reply.
    SendMessage(Dialogue<'e>),
    /// Say goodbye. This is what became of it.
    Over(Report),
}

impl<'e> Dialogue<'e> {
    /// A dialogue with the server at `peer`, which speaks first.
    pub(crate) fn new(greeting_name: &'e [u8], envelope: &'e Envelope, peer: IpAddr) -> Self {
        let (records, any_accepted) = (Records::default(), false);
        Self { greeting_name, envelope, peer, records, any_accepted, awaited: Awaited::Connection }
    }

    /// What follows from a reply.
    pub(crate) fn handle(self, reply: &Reply) -> Step<'e> {
        match self.awaited {
            Awaited::Connection => self.greeted(reply),
            Awaited::Hello => self.named(reply),
            Awaited::Sender => self.sender_judged(reply),
            Awaited::Recipient(following) => self.recipient_judged(following, reply),
            Awaited::Data => self.data_judged(reply),
            Awaited::Message | Awaited::End => self.message_judged(reply),
        }
    }

    fn greeted(self, reply: &Reply) -> Step<'e> {
        if reply.code() != Some(220) {
            return self.fail(Verdict::Later, "but greeting failed", reply);
        }
        let command = [b"HELO ", self.greeting_name, b"\r\n"].concat();
        self.say(Awaited::Hello, command)
    }

    fn named(self, reply: &Reply) -> Step<'e> {
        if reply.code() != Some(250) {
            return self.fail(Verdict::Later, "but my name was rejected", reply);
        }
        let command = [b"MAIL FROM:<", self.envelope.sender.as_slice(), b">\r\n"].concat();
        self.say(Awaited::Sender, command)
    }

    fn sender_judged(self, reply: &Reply) -> Step<'e> {
        match refusal(reply) {
            None => {
                let recipients = self.envelope.recipients.as_slice();
                self.next_recipient(recipients)
            }
            Some(verdict) => self.fail(verdict, "but sender was rejected", reply),
        }
    }

    fn recipient_judged(mut self, following: &'e [Vec<u8>], reply: &Reply) -> Step<'e> {
        let fate = match refusal(reply) {
            None => Fate::Accepted,
            Some(Verdict::Never) => Fate::Never,
            Some(_) => Fate::Later,
        };
        self.any_accepted |= fate == Fate::Accepted;
        self.records.recipient(fate, self.peer, reply);
        self.next_recipient(following)
    }

    fn next_recipient(self, remaining: &'e [Vec<u8>]) -> Step<'e> {
        match remaining.split_first() {
            Some((recipient, following)) => {
                let command = [b"RCPT TO:<", recipient.as_slice(), b">\r\n"].concat();
                self.say(Awaited::Recipient(following), command)
            }
            None if self.any_accepted => self.say(Awaited::Data, b"DATA\r\n".to_vec()),
            // The records say which recipients may be tried again.
            None => {
                let line = format!("Giving up on {}.", self.peer);
                Step::Over(self.records.finish(Verdict::Never, &line, None))
            }
        }
    }

    /// Only 3yz invites the message: a server that means something else would take it for commands.
    fn data_judged(self, reply: &Reply) -> Step<'e> {
        match (reply.class(), refusal(reply)) {
            (Class::Intermediate, _) => {
                Step::SendMessage(Self { awaited: Awaited::Message, ..self })
            }
            (_, refusal) => {
                let line = format!("{} failed on DATA command.", self.peer);
                self.over(refusal.unwrap_or(Verdict::Later), &line, reply)
            }
        }
    }

    /// Only 2yz makes the server responsible for the message.
    fn message_judged(self, reply: &Reply) -> Step<'e> {
        match (reply.class(), refusal(reply)) {
            (Class::Success, _) => {
                let line = format!("{} accepted message.", self.peer);
                self.over(Verdict::Accepted, &line, reply)
            }
            (_, refusal) => {
                let line = format!("{} failed after I sent the message.", self.peer);
                self.over(refusal.unwrap_or(Verdict::Later), &line, reply)
            }
        }
    }

    fn say(self, awaited: Awaited<'e>, command: Vec<u8>) -> Step<'e> {
        Step::Say(Self { awaited, ..self }, command)
    }

    fn fail(self, verdict: Verdict, what: &str, reply: &Reply) -> Step<'e> {
        let line = format!("Connected to {} {what}.", self.peer);
        self.over(verdict, &line, reply)
    }

    fn over(self, verdict: Verdict, line: &str, reply: &Reply) -> Step<'e> {
        Step::Over(self.records.finish(verdict, line, Some(reply)))
    }

    /// The end of the message is about to be sent: from here on the server may have it.
    pub(crate) fn ending(self) -> Self {
        Self { awaited: Awaited::End, ..self }
    }

    /// The connection broke, or the server was silent for too long or would not stop talking.
    pub(crate) fn lost(self) -> Report {
        let duplicate = match self.awaited {
            Awaited::End => "Possible duplicate! ",
            _ => "",
        };
        let peer = self.peer;
        let line = format!("Connected to {peer} but connection died. {duplicate}(#4.4.2)");
        self.records.finish(Verdict::Later, &line, None)
    }

    /// The message could not be read to its end.
    pub(crate) fn unreadable(self) -> Report {
        self.records.finish(Verdict::Later, UNREADABLE_MESSAGE, None)
    }

    /// The message turned out to have a last line without an end.
    pub(crate) fn partial(self) -> Report {
        self.records.finish(Verdict::Never, PARTIAL_LAST_LINE, None)
    }
}

/// What a reply says against us; `None` if nothing. A reply that nobody understands is no verdict.
fn refusal(reply: &Reply) -> Option<Verdict> {
    match reply.class() {
        Class::Success | Class::Intermediate => None,
        Class::Temporary | Class::Unknown => Some(Verdict::Later),
        Class::Permanent => Some(Verdict::Never),
    }
}

#[cfg(test)]
#[path = "dialogue_tests.rs"]
mod tests;
