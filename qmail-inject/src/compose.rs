//! The header, field by field, and the envelope that comes out of it.

use qmail_message::field::{Known, Seen};
use qmail_message::rewrite;
use qmail_message::token::Unparsable;

use crate::additions;
use crate::failure::Failure;
use crate::settings::Settings;

/// The longest header that we read, in bytes: all of it is held until it is complete.
const MAXIMUM_HEADER: usize = 16 << 20;

/// A header that is being read.
#[derive(Debug)]
pub(crate) struct Composer<'a> {
    settings: &'a Settings,
    /// How many bytes more the header may have.
    room: usize,
    kept: Vec<u8>,
    seen: Seen,
    resent: bool,
    sender: Option<Vec<u8>>,
    recipients: Vec<Vec<u8>>,
    resent_recipients: Vec<Vec<u8>>,
    visible_recipients: Vec<Vec<u8>>,
}

/// A header that is complete.
#[derive(Debug, PartialEq, Eq)]
pub struct Composed {
    /// All fields, without the empty line behind them.
    pub header: Vec<u8>,
    /// The envelope sender.
    pub sender: Vec<u8>,
    /// The envelope recipients.
    pub recipients: Vec<Vec<u8>>,
}

/// What the addresses of a field are for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Nothing,
    /// They only have to be complete.
    Shown,
    ReturnPath,
    /// To and Cc, which are also for whoever follows up.
    VisibleRecipients,
    Recipients,
    ResentRecipients,
}

impl<'a> Composer<'a> {
    /// Begins with an empty header.
    pub(crate) fn new(settings: &'a Settings) -> Self {
        Self {
            settings,
            room: MAXIMUM_HEADER,
            kept: Vec::new(),
            seen: Seen::default(),
            resent: false,
            sender: settings.sender.clone(),
            recipients: Vec::new(),
            resent_recipients: Vec::new(),
            visible_recipients: Vec::new(),
        }
    }

    /// Takes a field.
    pub(crate) fn field(&mut self, field: Vec<u8>) -> Result<(), Failure> {
        self.room = self.room.checked_sub(field.len()).ok_or(Failure::TooLong("header"))?;
        let known = Known::of(&field);
        if known.is_some_and(|known| self.is_replaced(known)) {
            return Ok(());
        }
        if let Some(known) = known {
            self.seen.insert(known);
            self.resent |= known.is_resent();
        }
        let purpose = known.map_or(Purpose::Nothing, purpose);
        let field = match purpose {
            Purpose::Nothing => field,
            _ => self.addresses(field, purpose)?,
        };
        if known.is_none_or(is_kept) {
            self.kept.extend_from_slice(&field);
        }
        Ok(())
    }

    /// Adds what is missing.
    pub(crate) fn finish(self) -> Result<Composed, Failure> {
        let settings = self.settings;
        let sender = match self.sender {
            Some(sender) => sender,
            None => additions::default_sender(settings)?,
        };
        let mut header = if self.resent {
            additions::resent_fields(settings, self.seen)?
        } else {
            additions::fields(settings, self.seen, &self.visible_recipients)?
        };
        header.extend(self.kept);
        let from_header = if self.resent { self.resent_recipients } else { self.recipients };
        let from_header = if settings.header_recipients { from_header } else { Vec::new() };
        let recipients = settings.recipients.iter().cloned().chain(from_header).collect();
        Ok(Composed { header, sender, recipients })
    }

    fn is_replaced(&self, known: Known) -> bool {
        let letters = &self.settings.author.letters;
        match known {
            Known::From => letters.replace_from,
            Known::MessageId => letters.replace_message_id,
            Known::ReturnPath => letters.ignore_return_path,
            _ => false,
        }
    }

    /// Completes a field with addresses, and notes what they are for.
    fn addresses(&mut self, field: Vec<u8>, purpose: Purpose) -> Result<Vec<u8>, Failure> {
        let rewritten = match rewrite::field(&field, &self.settings.defaults.completion) {
            Ok(rewritten) => rewritten,
            // Nobody needs its recipients, so it goes out as the author wrote it.
            Err(Unparsable) if is_spared(purpose) && !self.settings.header_recipients => {
                return Ok(field);
            }
            Err(Unparsable) => return Err(Failure::Line(field)),
        };
        // The parser of the original works from the end, and the envelope shows it.
        let addresses = rewritten.addresses.into_iter().rev();
        if purpose == Purpose::ReturnPath {
            self.return_path(addresses);
            return Ok(rewritten.field);
        }
        let recipients: Vec<_> = addresses.filter(|address| !address.is_empty()).collect();
        match purpose {
            Purpose::VisibleRecipients => {
                self.visible_recipients.extend_from_slice(&recipients);
                self.recipients.extend(recipients);
            }
            Purpose::Recipients => self.recipients.extend(recipients),
            Purpose::ResentRecipients => self.resent_recipients.extend(recipients),
            Purpose::Nothing | Purpose::Shown | Purpose::ReturnPath => {}
        }
        Ok(rewritten.field)
    }

    /// The last address of the first such field that has one is the envelope sender.
    fn return_path(&mut self, mut addresses: impl Iterator<Item = Vec<u8>>) {
        if self.sender.is_none() {
            self.sender = addresses.next().map(|mut sender| {
                if self.settings.author.letters.sender_per_recipient {
                    sender.extend_from_slice(b"-@[]");
                }
                sender
            });
        }
    }
}

fn purpose(known: Known) -> Purpose {
    match known {
        Known::To | Known::Cc => Purpose::VisibleRecipients,
        Known::Bcc | Known::ApparentlyTo => Purpose::Recipients,
        Known::ResentTo | Known::ResentCc | Known::ResentBcc => Purpose::ResentRecipients,
        Known::ReturnPath => Purpose::ReturnPath,
        Known::Sender
        | Known::From
        | Known::ReplyTo
        | Known::ReturnReceiptTo
        | Known::ErrorsTo
        | Known::ResentSender
        | Known::ResentFrom
        | Known::ResentReplyTo => Purpose::Shown,
        Known::Date
        | Known::MessageId
        | Known::Subject
        | Known::ResentDate
        | Known::ResentMessageId
        | Known::Received
        | Known::DeliveredTo
        | Known::ContentLength
        | Known::ContentType
        | Known::ContentTransferEncoding
        | Known::NoticeRequestedUponDeliveryTo
        | Known::MailFollowupTo => Purpose::Nothing,
    }
}

/// Whether a field that cannot be parsed may stay when recipients come from elsewhere.
const fn is_spared(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::VisibleRecipients | Purpose::Recipients | Purpose::ResentRecipients)
}

const fn is_kept(known: Known) -> bool {
    !matches!(known, Known::Bcc | Known::ResentBcc | Known::ReturnPath | Known::ContentLength)
}
