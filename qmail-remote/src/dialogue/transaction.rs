//! One message: MAIL, RCPT, DATA and the message itself.

use qmail_wire::smtp_client::{Class, Reply};

use super::{Awaited, Dialogue, Step, refusal};
use crate::extension::{self, pipelining, starttls};
use crate::report::{Fate, Verdict};

impl<'e> Dialogue<'e> {
    /// Begins, unless it is known how it would end.
    pub(super) fn transact(self) -> Step<'e> {
        match extension::objection(&self.offer, &self.terms.message) {
            Some(objection) => {
                let line = self.connected(&format!("but {objection}"));
                self.over(Verdict::Never, &line, None)
            }
            None => self.send_from(0),
        }
    }

    /// Sends the command of this number, and those that may go with it.
    fn send_from(self, number: usize) -> Step<'e> {
        let commands = (number..=self.last()).map(|number| self.command(number));
        let (bytes, count) = pipelining::batch(commands, self.offer.pipelining);
        Step::Say(Self { sent: number + count, awaited: Awaited::Command(number), ..self }, bytes)
    }

    /// The number of DATA: MAIL is 0, and each recipient has one.
    fn last(&self) -> usize {
        self.terms.envelope.recipients.len() + 1
    }

    fn command(&self, number: usize) -> Vec<u8> {
        let envelope = self.terms.envelope;
        match number.checked_sub(1) {
            None => {
                let mut rest = extension::parameters(&self.offer, &self.terms.message);
                if let Some(credentials) = self.terms.credentials.filter(|_| self.authenticated) {
                    rest.push_str(&credentials.parameter());
                }
                [b"MAIL FROM:<", envelope.sender.as_slice(), b">", rest.as_bytes(), b"\r\n"]
                    .concat()
            }
            Some(index) => match envelope.recipients.get(index) {
                Some(recipient) => [b"RCPT TO:<", recipient.as_slice(), b">\r\n"].concat(),
                None => b"DATA\r\n".to_vec(),
            },
        }
    }

    pub(super) fn command_judged(self, number: usize, reply: &Reply) -> Step<'e> {
        match number.checked_sub(1) {
            None => self.sender_judged(reply),
            Some(_) if number == self.last() => self.data_judged(reply),
            Some(index) => self.recipient_judged(index, reply),
        }
    }

    fn sender_judged(self, reply: &Reply) -> Step<'e> {
        match refusal(reply) {
            None => self.go_on_after(0),
            // Others may have TLS that works, and this one may have it later.
            Some(_) if self.lacks_tls(reply) => {
                let line = self.connected("but sender was rejected.");
                self.try_next(&line, Some(reply))
            }
            Some(verdict) => {
                let line = self.connected("but sender was rejected.");
                // Whatever went with MAIL is void without it: a message without its end.
                self.over(verdict, &line, Some(reply))
            }
        }
    }

    fn recipient_judged(mut self, index: usize, reply: &Reply) -> Step<'e> {
        let fate = match refusal(reply) {
            None => Fate::Accepted,
            Some(Verdict::Never) if !self.lacks_tls(reply) => Fate::Never,
            Some(_) => Fate::Later,
        };
        self.any_accepted |= fate == Fate::Accepted;
        let recipient = self.terms.envelope.recipients.get(index).map_or(&[][..], Vec::as_slice);
        self.records.recipient(fate, recipient, reply);
        self.go_on_after(index + 1)
    }

    /// Whether the server refuses because it insists on TLS, which it offers and we could not, or
    /// were told not to, have with it. That is no verdict over the mail.
    fn lacks_tls(&self, refusal: &Reply) -> bool {
        self.session.is_none() && self.offer.starttls && starttls::is_wanted(refusal)
    }

    fn go_on_after(self, number: usize) -> Step<'e> {
        let next = number + 1;
        if next == self.last() && !self.any_accepted {
            // The records say which recipients may be tried again. DATA may have been sent: what
            // follows it has no end, and so is no message.
            let line = format!("Giving up on {}.", self.terms.peer);
            return self.over(Verdict::Never, &line, None);
        }
        match next < self.sent {
            true => Step::Listen(Self { awaited: Awaited::Command(next), ..self }),
            false => self.send_from(next),
        }
    }

    /// Only 3yz invites the message: a server that means something else would take it for commands.
    fn data_judged(self, reply: &Reply) -> Step<'e> {
        match (reply.class(), refusal(reply)) {
            (Class::Intermediate, _) => {
                Step::SendMessage(Self { awaited: Awaited::Message, ..self })
            }
            (_, refusal) => {
                let line = format!("{} failed on DATA command.", self.terms.peer);
                self.over(refusal.unwrap_or(Verdict::Later), &line, Some(reply))
            }
        }
    }

    /// Only 2yz makes the server responsible for the message.
    pub(super) fn message_judged(self, reply: &Reply) -> Step<'e> {
        match (reply.class(), refusal(reply)) {
            (Class::Success, _) => {
                let line = format!("{} accepted message.", self.terms.peer);
                self.over(Verdict::Accepted, &line, Some(reply))
            }
            (_, refusal) => {
                let line = format!("{} failed after I sent the message.", self.terms.peer);
                self.over(refusal.unwrap_or(Verdict::Later), &line, Some(reply))
            }
        }
    }
}
