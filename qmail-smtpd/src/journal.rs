//! What became of each recipient and message, for the log, in the words of those who asked for it.

mod qlog;
mod reason;
mod spamcontrol;
mod wheeler;

use qmail_wire::smtp_server::Reply;

use crate::transaction::Transaction;
use crate::visit::Visit;

pub(crate) use qlog::Qlog;
pub(crate) use spamcontrol::Spamcontrol;
pub(crate) use wheeler::Wheeler;

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    /// How it ended.
    pub fate: Fate,
    /// What the client was told.
    pub reply: Reply,
    /// The process id of the queue program.
    pub queue_id: u32,
    /// What the queue program exited with, if it did.
    pub exit_code: Option<u8>,
    /// How many bytes came.
    pub size: u64,
}

/// How a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is in the queue.
    Accepted,
    /// It has been through too many hosts.
    Looping,
    /// It is too large.
    TooBig,
    /// It has something in it that is not wanted.
    Unwanted,
    /// The queue program refused it for good.
    Rejected,
    /// The queue program could not take it now.
    Delayed,
}

/// Whom a reply is about.
#[derive(Clone, Copy, Debug)]
pub enum About<'a> {
    /// The sender in MAIL; `None` if that was no address.
    Sender(Option<&'a [u8]>),
    /// A recipient of this transaction.
    Recipient(&'a [u8]),
}

impl<'a> About<'a> {
    /// The recipient, if it is about one.
    fn recipient(self) -> Option<&'a [u8]> {
        match self {
            Self::Sender(_) => None,
            Self::Recipient(recipient) => Some(recipient),
        }
    }

    /// The sender, as far as he is known.
    fn sender(self, visit: &Visit) -> Option<Vec<u8>> {
        match self {
            Self::Sender(sender) => sender.map(<[u8]>::to_vec),
            Self::Recipient(_) => visit.transaction.as_ref().map(|known| known.sender.clone()),
        }
    }
}

/// Why a session ended that the client did not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client is gone.
    ReadFailed,
    /// He said nothing for too long.
    Timeout,
    /// He sent a line end that is none inside a message.
    BadNewlines,
}

/// Writes down what happens, by [`Visit::note`].
pub trait Journal {
    /// A recipient or a sender was accepted or refused.
    fn answered(&mut self, visit: &mut Visit, about: About<'_>, reply: &Reply);

    /// A message came to its end.
    fn concluded(&mut self, visit: &mut Visit, transaction: &Transaction, end: &Conclusion);

    /// The session did.
    fn ended(&mut self, _visit: &mut Visit, _end: End) {}
}

/// The journals with these names.
pub(crate) fn named(names: &[u8]) -> Vec<Box<dyn Journal>> {
    let words = names.split(|byte| byte.is_ascii_whitespace() || *byte == b',');
    words
        .filter_map(|word| -> Option<Box<dyn Journal>> {
            match word {
                b"wheeler" => Some(Box::new(Wheeler::default())),
                b"qlog" => Some(Box::new(Qlog)),
                b"spamcontrol" => Some(Box::new(Spamcontrol)),
                _ => None,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
