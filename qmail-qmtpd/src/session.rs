//! Messages, one after the other, until the client goes.

use std::io::{BufRead, BufWriter, Write};
use std::path::Path;

use qmail_address::breaks_lines;
use qmail_core::submit::{QueueServer, Refusal, Submission};
use qmail_wire::broken::Broken;
use qmail_wire::netstring::{Netstrings, encode};

use crate::body::{Body, LineEnds};
use crate::recipients::{ADDRESS_LIMIT, Recipients, Verdict};
use crate::replies;
use crate::settings::Settings;

/// Bytes of the longest list of recipients. It has to be in memory until the message is queued.
const LONGEST_LIST: u64 = 1 << 24;

/// A session.
pub struct Session<'a> {
    /// What it depends on.
    pub settings: &'a Settings,
    /// Home directory of qmail.
    pub home: &'a Path,
    /// Whom messages are told for which no queue program is named.
    pub queue: &'a QueueServer,
    /// The seconds since 1970.
    pub now: fn() -> u64,
}

/// A message and its sender, read so far.
struct Incoming {
    submission: Submission,
    sender: Vec<u8>,
    /// Why it will not be taken, whatever the queue says.
    objection: Option<&'static [u8]>,
}

impl Session<'_> {
    /// Takes messages until there are no more: the reason for that.
    pub fn serve(&self, input: impl BufRead, output: impl Write) -> Broken {
        let mut input = Netstrings::new(input);
        let mut output = BufWriter::new(output);
        loop {
            if let Err(broken) = self.message(&mut input, &mut output) {
                return broken;
            }
        }
    }

    fn message<R: BufRead>(
        &self,
        input: &mut Netstrings<R>,
        output: &mut impl Write,
    ) -> Result<(), Broken> {
        let mut incoming = self.receive(input)?;
        let recipients = self.recipients(input)?;
        let nobody = recipients.accepted().next().is_none();
        if nobody || incoming.objection.is_some() {
            incoming.submission.fail();
        }
        let id = incoming.submission.id();
        let queued = incoming.submission.finish(&incoming.sender, recipients.accepted());
        let result = self.result(incoming.objection, id, queued);
        answer(output, recipients.verdicts(), &result).map_err(|_| Broken::Gone)
    }

    fn receive<R: BufRead>(&self, input: &mut Netstrings<R>) -> Result<Incoming, Broken> {
        // The first byte is not part of the message.
        let length = input.begin()?.checked_sub(1).ok_or(Broken::Malformed)?;
        let line_ends = LineEnds::try_from(input.byte()?)?;
        let mut submission =
            Submission::start_beside(self.queue, self.home).map_err(|_| Broken::Resources)?;
        submission.write(&self.settings.received((self.now)()));
        let mut body = Body::new(line_ends, self.settings.largest_message);
        input.pass(length, |block| body.block(block, |bytes| submission.write(bytes)))?;
        let fits = body.finish(|bytes| submission.write(bytes));
        input.end()?;
        let sender = input.read(limit(ADDRESS_LIMIT))?.filter(|sender| !breaks_lines(sender));
        let objection = match &sender {
            _ if !fits => Some(replies::TOO_LARGE),
            None => Some(replies::UNFIT_SENDER),
            Some(_) => None,
        };
        Ok(Incoming { submission, sender: sender.unwrap_or_default(), objection })
    }

    fn recipients<R: BufRead>(&self, input: &mut Netstrings<R>) -> Result<Recipients, Broken> {
        let permission = &self.settings.permission;
        let mut recipients = Recipients::default();
        if input.open()? > LONGEST_LIST {
            return Err(Broken::Resources);
        }
        while input.has_more() {
            let recipient = input.read(limit(permission.limit()))?;
            recipients.add(recipient.as_deref(), permission).map_err(|_| Broken::Resources)?;
        }
        input.close()?;
        Ok(recipients)
    }

    fn result(&self, objection: Option<&[u8]>, id: u32, queued: Result<(), Refusal>) -> Vec<u8> {
        match (objection, queued) {
            (Some(objection), _) => objection.to_vec(),
            (None, Err(refusal)) => replies::refused(&refusal),
            (None, Ok(())) => replies::accepted((self.now)(), id),
        }
    }
}

/// Tells the client about each recipient. It may wait for that before it sends anything more.
fn answer(output: &mut impl Write, verdicts: &[Verdict], result: &[u8]) -> std::io::Result<()> {
    let result = encode(result);
    let (unfit, not_listed) = (encode(replies::UNFIT), encode(replies::NOT_LISTED));
    for verdict in verdicts {
        output.write_all(match verdict {
            Verdict::Accepted => &result,
            Verdict::Unfit => &unfit,
            Verdict::NotListed => &not_listed,
        })?;
    }
    output.flush()
}

fn limit(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
