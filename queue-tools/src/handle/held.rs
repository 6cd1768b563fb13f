//! A message that keeps its number for as long as we look at it.

use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use qmail_core::if_there;
use qmail_core::queue::{Channel, Queue, QueueId, Record, Records};

/// A message whose file is open. A number is the inode of that file, and an inode is not used again
/// while the file is open: all files of this number belong to this message, even if qmail-send
/// removes it meanwhile.
#[derive(Debug)]
pub(super) struct Held<'q> {
    pub(super) id: QueueId,
    pub(super) queue: &'q Queue,
    message: File,
    pub(super) size: u64,
}

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It is being put into the queue, or being removed, or nobody finished that.
    Unfinished,
    /// qmail-todo has not seen it, or is at it.
    Waiting,
    /// qmail-send has it.
    Queued,
}

/// Somebody who is to get a message, or had his verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recipient {
    /// `None` where nobody has decided that yet.
    pub(super) channel: Option<Channel>,
    pub(super) done: bool,
    pub(super) address: Vec<u8>,
}

/// What the files of a message say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) stage: Stage,
    pub(super) sender: Vec<u8>,
    pub(super) recipients: Vec<Recipient>,
    pub(super) is_bouncing: bool,
}

impl Facts {
    pub(super) fn has(&self, channel: Channel) -> bool {
        self.recipients.iter().any(|recipient| recipient.channel == Some(channel))
    }
}

impl<'q> Held<'q> {
    /// Takes hold of a message; `None` if there is none of that number.
    ///
    /// # Errors
    /// `InvalidData` if its file has another number: then any other file with this number may be
    /// that of another message.
    pub(super) fn take(queue: &'q Queue, id: QueueId) -> io::Result<Option<Self>> {
        let Some(message) = if_there(File::open(queue.mess(id)))? else { return Ok(None) };
        let metadata = message.metadata()?;
        if metadata.ino() != id.as_u64() {
            return Err(ErrorKind::InvalidData.into());
        }
        Ok(Some(Self { id, queue, message, size: metadata.len() }))
    }

    /// Reads its other files.
    pub(super) fn facts(&self) -> io::Result<Facts> {
        let is_bouncing = exists(&self.queue.bounce(self.id))?;
        // In this order: the one in todo goes when the one in info is complete.
        if let Some(file) = if_there(File::open(self.queue.todo(self.id)))? {
            let (sender, recipients) = read_envelope(file)?;
            return Ok(Facts { stage: Stage::Waiting, sender, recipients, is_bouncing });
        }
        let Some(info) = self.info()? else {
            let (sender, recipients) = (Vec::new(), Vec::new());
            return Ok(Facts { stage: Stage::Unfinished, sender, recipients, is_bouncing });
        };
        let sender = Records::new(BufReader::new(info)).next().transpose()?;
        let sender = sender.map(|record| record.value).unwrap_or_default();
        let mut recipients = Vec::new();
        for channel in Channel::ALL {
            let Some(file) = self.recipients(channel, Access::Read)? else { continue };
            for record in Records::new(BufReader::new(file)) {
                let Record { letter, value, .. } = record?;
                let done = letter == b'D';
                recipients.push(Recipient { channel: Some(channel), done, address: value });
            }
        }
        Ok(Facts { stage: Stage::Queued, sender, recipients, is_bouncing })
    }

    /// How far it has come.
    pub(super) fn stage(&self) -> io::Result<Stage> {
        if exists(&self.queue.todo(self.id))? {
            return Ok(Stage::Waiting);
        }
        Ok(if exists(&self.queue.info(self.id))? { Stage::Queued } else { Stage::Unfinished })
    }

    /// The file with its sender.
    pub(super) fn info(&self) -> io::Result<Option<File>> {
        if_there(File::open(self.queue.info(self.id)))
    }

    /// The file with its recipients on a channel, if it has any left.
    pub(super) fn recipients(&self, channel: Channel, access: Access) -> io::Result<Option<File>> {
        let mut options = File::options();
        options.read(true).write(access == Access::Mark);
        if_there(options.open(self.queue.recipients(channel, self.id)))
    }

    /// The message itself, from its beginning.
    pub(super) fn message(&self) -> io::Result<impl Read> {
        let mut message = &self.message;
        message.seek(SeekFrom::Start(0))?;
        Ok(message)
    }
}

/// What a file of recipients is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Mark,
}

fn read_envelope(file: File) -> io::Result<(Vec<u8>, Vec<Recipient>)> {
    let (mut sender, mut recipients) = (Vec::new(), Vec::new());
    for record in Records::new(BufReader::new(file)) {
        let Record { letter, value, .. } = record?;
        match letter {
            b'F' => sender = value,
            b'T' => recipients.push(Recipient { channel: None, done: false, address: value }),
            _ => {}
        }
    }
    Ok((sender, recipients))
}

fn exists(path: &Path) -> io::Result<bool> {
    if_there(fs::symlink_metadata(path)).map(|found| found.is_some())
}
