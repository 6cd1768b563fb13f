//! One message, its envelope, and the reply.

use std::io::{BufRead, Write};
use std::path::Path;

use qmail_address::breaks_lines;
use qmail_core::submit::{QueueServer, Submission};
use qmail_message::Peer;
use qmail_wire::broken::Broken;
use qmail_wire::netstring::{Netstrings, encode};

/// An address is shorter than this.
const ADDRESS_LIMIT: u64 = 1000;
/// Bytes of the longest list of recipients. It has to be in memory until the message is queued.
const LONGEST_LIST: usize = 1 << 24;
/// The reply to a message with an address that is too long, or has a byte that no address may have.
const UNFIT: &[u8] = b"Dsorry, I can't accept addresses like that (#5.1.3)";

/// A connection.
pub struct Session<'a> {
    /// Who is at the other end.
    pub client: &'a Peer,
    /// Home directory of qmail.
    pub home: &'a Path,
    /// Whom messages are told for which no queue program is named.
    pub queue: &'a QueueServer,
    /// The seconds since 1970.
    pub now: fn() -> u64,
}

/// The envelope of a message.
#[derive(Debug, Default)]
struct Envelope {
    sender: Vec<u8>,
    /// One behind the other, each with a NUL at its end, so that they take no more memory than the
    /// client has sent.
    recipients: Vec<u8>,
    has_unfit: bool,
}

impl Session<'_> {
    /// Takes the message.
    pub fn serve(&self, input: impl BufRead, mut output: impl Write) -> Result<(), Broken> {
        let mut input = Netstrings::new(input);
        input.open()?;
        let mut submission = self.receive(&mut input)?;
        let envelope = Envelope::read(&mut input)?;
        input.close()?;
        if envelope.has_unfit {
            submission.fail();
        }
        let id = submission.id();
        let queued = submission.finish(&envelope.sender, envelope.recipients());
        let reply = match queued {
            _ if envelope.has_unfit => UNFIT.to_vec(),
            Ok(()) => format!("Kok {} qp {id}", (self.now)()).into_bytes(),
            Err(refusal) => {
                let letter = if refusal.permanent { b"D" } else { b"Z" };
                [letter.as_slice(), &refusal.text].concat()
            }
        };
        output.write_all(&encode(&reply)).and_then(|()| output.flush()).map_err(|_| Broken::Gone)
    }

    fn receive<R: BufRead>(&self, input: &mut Netstrings<R>) -> Result<Submission, Broken> {
        let length = input.begin()?;
        let mut submission =
            Submission::start_beside(self.queue, self.home).map_err(|_| Broken::Resources)?;
        submission.write(&self.client.received(b"QMQP", None, (self.now)()));
        input.pass(length, |block| submission.write(block))?;
        input.end()?;
        Ok(submission)
    }
}

impl Envelope {
    fn read<R: BufRead>(input: &mut Netstrings<R>) -> Result<Self, Broken> {
        let mut envelope = Self::default();
        envelope.sender = envelope.address(input)?.unwrap_or_default();
        while input.has_more() {
            if let Some(recipient) = envelope.address(input)? {
                envelope.recipients.extend_from_slice(&recipient);
                envelope.recipients.push(0);
            }
            if envelope.recipients.len() > LONGEST_LIST {
                return Err(Broken::Resources);
            }
        }
        Ok(envelope)
    }

    /// The next address; one that is unfit is noted.
    fn address<R: BufRead>(
        &mut self,
        input: &mut Netstrings<R>,
    ) -> Result<Option<Vec<u8>>, Broken> {
        let address = input.read(ADDRESS_LIMIT)?.filter(|address| !breaks_lines(address));
        self.has_unfit |= address.is_none();
        Ok(address)
    }

    fn recipients(&self) -> impl Iterator<Item = &[u8]> {
        self.recipients.split_inclusive(|byte| *byte == 0).filter_map(|one| one.strip_suffix(b"\0"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(addresses: &[&[u8]]) -> Result<Envelope, Broken> {
        let all: Vec<u8> = addresses.iter().flat_map(|address| encode(address)).collect();
        let whole = encode(&all);
        let mut input = Netstrings::new(whole.as_slice());
        input.open()?;
        Envelope::read(&mut input)
    }

    #[test]
    fn the_first_address_is_the_sender() {
        let envelope = read(&[b"s@x", b"", b"b@c"]).unwrap();
        assert_eq!(envelope.sender, b"s@x");
        assert_eq!(envelope.recipients().collect::<Vec<_>>(), [b"".as_slice(), b"b@c"]);
        assert!(!envelope.has_unfit && read(&[b""]).unwrap().recipients().next().is_none());
    }

    #[test]
    fn one_unfit_address_spoils_all() {
        for unfit in [b"a\0b".as_slice(), b"a\nb", b"a\rb", &[b'x'; 1000]] {
            assert!(read(&[unfit]).unwrap().has_unfit);
            assert!(read(&[b"s@x", b"a@b", unfit]).unwrap().has_unfit);
        }
        assert!(!read(&[&[b'x'; 999], &[b'x'; 999]]).unwrap().has_unfit);
    }

    #[test]
    fn an_envelope_has_a_sender() {
        assert_eq!(read(&[]).unwrap_err(), Broken::Malformed);
    }
}
