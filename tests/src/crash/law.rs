//! What must be true of a disk after a crash.
//!
//! Every message that was acknowledged is, for each of its recipients, either in his mailbox, whole;
//! or still to be delivered to him; or its sender is told, or still to be told, that it could not
//! be. No message that can be delivered is half there, acknowledged or not.

use std::collections::BTreeSet;
use std::fmt;

use super::disk::Disk;
use super::mailboxes::Mailbox;
use super::plan::SENDER;
use super::queue_view::{Files, Layout, QueueView, State, is_envelope, records};

/// A message of the test.
#[derive(Clone, Debug)]
pub struct Mail {
    /// What is in its subject, and in no other's.
    pub tag: &'static str,
    /// All of it, as it was given to qmail-queue.
    pub text: Vec<u8>,
    /// For whom it is.
    pub recipients: Vec<Recipient>,
}

/// Somebody for whom a message is.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// His address in the envelope; in the queue it may have something before it.
    pub address: &'static str,
    /// What is to become of it.
    pub fate: Fate,
}

/// What is to become of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives in the mailbox of this number.
    Arrives(usize),
    /// It comes back to the mailbox of this number.
    Bounces(usize),
    /// It stays in the queue.
    Waits,
}

/// What has been promised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Claims {
    /// Messages that were acknowledged.
    pub acknowledged: BTreeSet<&'static str>,
    /// Those that their recipients have deleted since.
    pub deleted: BTreeSet<&'static str>,
}

impl Claims {
    /// Whether the message must still be somewhere.
    #[must_use]
    pub fn is_owed(&self, mail: &Mail) -> bool {
        self.acknowledged.contains(mail.tag) && !self.deleted.contains(mail.tag)
    }
}

/// What the law speaks about.
#[derive(Clone, Debug)]
pub struct World {
    /// The queue.
    pub layout: Layout,
    /// All mailboxes.
    pub mailboxes: Vec<Mailbox>,
    /// All messages.
    pub mails: Vec<Mail>,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// An acknowledged message will never reach somebody, and nobody will hear of it.
    Lost(&'static str, &'static str),
    /// A message in this state lacks its text, or a part of it.
    Half(u64, State),
    /// The files about the recipients of a message are torn.
    Torn(u64),
    /// There is a message in a mailbox that is not one of ours, whole.
    HalfArrived(usize),
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(tag, address) => write!(formatter, "{tag} is lost for {address}"),
            Self::Half(number, state) => write!(formatter, "{number}, {state:?}, is half there"),
            Self::Torn(number) => write!(formatter, "the envelope of {number} is torn"),
            Self::HalfArrived(mailbox) => write!(formatter, "half a message in mailbox {mailbox}"),
        }
    }
}

/// What is right, but not clean: files of messages that had ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Residue {
    /// Messages without text in `todo/` or `info/`.
    pub ghosts: usize,
    /// Other files without a message.
    pub orphans: usize,
}

impl Residue {
    /// Whether it is clean.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl World {
    /// Whether the disk is right, after these promises.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn judge(&self, disk: &Disk, claims: &Claims) -> Result<Residue, Violation> {
        let queue = self.layout.view(disk);
        for mail in self.mails.iter().filter(|mail| claims.is_owed(mail)) {
            for recipient in &mail.recipients {
                if !self.is_safe(disk, &queue, mail, recipient) {
                    return Err(Violation::Lost(mail.tag, recipient.address));
                }
            }
        }
        self.judge_mailboxes(disk)?;
        self.judge_queue(&queue, claims)
    }

    fn is_safe(
        &self,
        disk: &Disk,
        queue: &QueueView<'_>,
        mail: &Mail,
        recipient: &Recipient,
    ) -> bool {
        let is_told = |text: &[u8]| is_notice(text, mail, recipient);
        let has = |mailbox: usize, is_it: &dyn Fn(&[u8]) -> bool| {
            self.mailboxes[mailbox].texts(disk).iter().any(|text| is_it(text))
        };
        let arrived = match recipient.fate {
            Fate::Arrives(mailbox) if self.mailboxes[mailbox].keeps_messages_apart() => {
                has(mailbox, &|text| text.ends_with(&mail.text))
            }
            Fate::Arrives(mailbox) => has(mailbox, &|text| holds(text, &mail.text)),
            Fate::Bounces(mailbox) => has(mailbox, &is_told),
            Fate::Waits => false,
        };
        arrived || queue.messages.values().any(|files| self.is_pending(files, mail, recipient))
    }

    /// Whether the message with these files will bring it to him, or tell the sender of him.
    #[must_use]
    pub fn is_pending(&self, files: &Files<'_>, mail: &Mail, recipient: &Recipient) -> bool {
        let is_told = |text: &[u8]| is_notice(text, mail, recipient);
        let is_to_fail = matches!(recipient.fate, Fate::Bounces(_));
        let is_notice = is_deliverable(files) && has_somebody(files);
        waits(files, mail, recipient)
            || is_to_fail && is_failing(files, mail, recipient)
            || is_to_fail && is_notice && files.mess.is_some_and(is_told)
    }

    fn judge_mailboxes(&self, disk: &Disk) -> Result<(), Violation> {
        for (number, mailbox) in self.mailboxes.iter().enumerate() {
            if !mailbox.keeps_messages_apart() {
                continue;
            }
            let is_ours = |text: &&[u8]| self.mails.iter().any(|mail| text.ends_with(&mail.text));
            if !mailbox.texts(disk).iter().all(is_ours) {
                return Err(Violation::HalfArrived(number));
            }
        }
        Ok(())
    }

    fn judge_queue(&self, queue: &QueueView<'_>, claims: &Claims) -> Result<Residue, Violation> {
        let mut residue = Residue::default();
        for (number, files) in &queue.messages {
            let state = files.state();
            match (state, files.mess) {
                (State::Litter, _) => {}
                (State::Orphans, _) => residue.orphans += 1,
                (State::Queued | State::Sorted, None) => {
                    // Files of a message that has ended, or of one that never was complete?
                    let names = files.todo.or(files.local).or(files.remote);
                    let is_of = |mail: &&Mail| names.is_none_or(|names| mail.is_in(names));
                    let mut owners = self.mails.iter().filter(is_of);
                    // That of a bounce is judged by whether the sender has been told.
                    let is_notice = names.is_some_and(is_for_sender);
                    if !is_notice && !owners.any(|mail| claims.acknowledged.contains(mail.tag)) {
                        return Err(Violation::Half(*number, state));
                    }
                    residue.ghosts += 1;
                }
                (State::Queued | State::Sorted, Some(text)) => {
                    if !self.mails.iter().any(|mail| text.ends_with(&mail.text)) {
                        return Err(Violation::Half(*number, state));
                    }
                    if !is_readable(files) {
                        return Err(Violation::Torn(*number));
                    }
                }
            }
        }
        Ok(residue)
    }
}

impl Mail {
    fn is_in(&self, records: &[u8]) -> bool {
        self.recipients.iter().any(|recipient| holds(records, recipient.address.as_bytes()))
    }
}

/// Whether the message is in this state whole, and for him.
fn waits(files: &Files<'_>, mail: &Mail, recipient: &Recipient) -> bool {
    files.mess.is_some_and(|text| is_original(text, mail))
        && is_deliverable(files)
        && envelopes(files).iter().any(|content| is_to_do(content, recipient))
}

/// Whether what will be said about him is in `bounce/`, of a message that is still being delivered.
fn is_failing(files: &Files<'_>, mail: &Mail, recipient: &Recipient) -> bool {
    files.state() == State::Sorted
        && files.info.is_some_and(is_info)
        && files.mess.is_some_and(|text| is_original(text, mail))
        && files
            .bounce
            .is_some_and(|text| holds(text, format!("<{}>:\n", recipient.address).as_bytes()))
}

fn is_deliverable(files: &Files<'_>) -> bool {
    matches!(files.state(), State::Queued | State::Sorted) && is_readable(files)
}

fn is_readable(files: &Files<'_>) -> bool {
    match files.todo {
        Some(envelope) => is_envelope(envelope),
        None => {
            let channels = [files.local, files.remote];
            files.info.is_some_and(is_info)
                && channels.iter().flatten().all(|channel| records(channel).is_some())
        }
    }
}

/// Where those stand for whom the message is.
fn envelopes<'d>(files: &Files<'d>) -> Vec<&'d [u8]> {
    match files.todo {
        Some(envelope) => vec![envelope],
        None => [files.local, files.remote].into_iter().flatten().collect(),
    }
}

fn is_info(content: &[u8]) -> bool {
    records(content).is_some_and(|records| matches!(records.as_slice(), [(b'F', _)]))
}

/// Whether it is still for anybody.
fn has_somebody(files: &Files<'_>) -> bool {
    let all = envelopes(files).into_iter().filter_map(records).flatten();
    all.into_iter().any(|(letter, _)| letter == b'T')
}

fn is_to_do(content: &[u8], recipient: &Recipient) -> bool {
    let address = recipient.address.as_bytes();
    let mut records = records(content).into_iter().flatten();
    records.any(|(letter, value)| letter == b'T' && value.ends_with(address))
}

/// Whether these are the recipients of a notice.
fn is_for_sender(content: &[u8]) -> bool {
    let mut records = records(content).into_iter().flatten();
    records.any(|(letter, value)| letter != b'F' && value == SENDER.as_bytes())
}

/// Whether this is the message itself, behind the line of qmail-queue.
fn is_original(text: &[u8], mail: &Mail) -> bool {
    let end = text.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    text[end..] == mail.text
}

/// Whether this says that the message could not be delivered to him.
fn is_notice(text: &[u8], mail: &Mail, recipient: &Recipient) -> bool {
    text.ends_with(&mail.text)
        && !is_original(text, mail)
        && holds(text, format!("<{}>:\n", recipient.address).as_bytes())
}

/// Whether these bytes are somewhere in the text.
#[must_use]
pub fn holds(text: &[u8], bytes: &[u8]) -> bool {
    text.windows(bytes.len()).any(|window| window == bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crash::event::File;

    const MAIL: &[u8] = b"Subject: m1\n\nhi\n";
    const WHOLE: &[u8] = b"Received: x\nSubject: m1\n\nhi\n";

    fn mail() -> Mail {
        let recipients = vec![Recipient { address: "a@b", fate: Fate::Bounces(0) }];
        Mail { tag: "m1", text: MAIL.to_vec(), recipients }
    }

    /// The verdict on a message with these files.
    fn judge(files: Files<'_>, is_acknowledged: bool) -> Result<Residue, Violation> {
        let empty = Mailbox::Maildir([File(0), File(1)]);
        let (mailboxes, mails) = (vec![empty], vec![mail()]);
        let world = World {
            layout: Layout::of("/".as_ref(), &Default::default(), &Disk::default()),
            mailboxes,
            mails,
        };
        let acknowledged = is_acknowledged.then_some("m1").into_iter().collect();
        let claims = Claims { acknowledged, ..Claims::default() };
        let queue = QueueView { messages: [(7, files)].into(), unnumbered: 0 };
        let mail = &world.mails[0];
        let disk = Disk::default();
        if is_acknowledged && !world.is_safe(&disk, &queue, mail, &mail.recipients[0]) {
            return Err(Violation::Lost("m1", "a@b"));
        }
        world.judge_queue(&queue, &claims)
    }

    #[test]
    fn a_queued_or_sorted_message_is_safe() {
        let files = Files { mess: Some(WHOLE), ..Files::default() };
        let todo = Some(&b"u1\0p1\0F\0Ta@b\0"[..]);
        assert_eq!(judge(Files { todo, ..files.clone() }, true), Ok(Residue::default()));
        let sorted = Files { info: Some(b"F\0"), local: Some(b"Tv-a@b\0"), ..files.clone() };
        assert_eq!(judge(sorted.clone(), true), Ok(Residue::default()));
        let done = Files { local: Some(b"Da@b\0"), ..sorted };
        assert_eq!(judge(done.clone(), true), Err(Violation::Lost("m1", "a@b")));
        let told = Files { bounce: Some(b"<a@b>:\nno\n\n"), ..done };
        assert_eq!(judge(told, true), Ok(Residue::default()));
        assert_eq!(judge(files, true), Err(Violation::Lost("m1", "a@b")));
    }

    #[test]
    fn nothing_is_half_there() {
        let todo = Some(&b"u1\0p1\0F\0Ta@b\0"[..]);
        let half = Files { mess: Some(b"Received: x\nSubj"), todo, ..Files::default() };
        assert_eq!(judge(half.clone(), false), Err(Violation::Half(7, State::Queued)));
        let none = Files { mess: None, ..half.clone() };
        assert_eq!(judge(none, false), Err(Violation::Half(7, State::Queued)));
        let torn = Files { mess: Some(WHOLE), todo: Some(b"u1\0p1\0F"), ..half };
        assert_eq!(judge(torn, false), Err(Violation::Torn(7)));
    }

    #[test]
    fn what_a_finished_message_left_is_residue() {
        let orphan = Files { local: Some(b"Da@b\0"), ..Files::default() };
        assert_eq!(judge(orphan, false), Ok(Residue { ghosts: 0, orphans: 1 }));
    }
}
