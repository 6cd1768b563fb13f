//! Opening a message for a pass.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::PathBuf;
use std::sync::Arc;

use qmail_address::EnvelopeSender;
use qmail_core::queue::{Channel, Queue, QueueId, Records};

use super::modified;
use crate::schedule::Time;

/// What is kept with a job: a message that is being delivered on a channel.
#[derive(Debug)]
pub(crate) struct OpenMessage {
    /// Its recipient file, to mark those who have had their verdict.
    pub recipients: Arc<File>,
    pub sender: EnvelopeSender,
}

/// The recipients of a message, one by one.
pub(crate) type Recipients = Records<BufReader<Arc<File>>>;

/// A message that a pass can begin with.
#[derive(Debug)]
pub(crate) struct Opened {
    pub message: OpenMessage,
    pub recipients: Recipients,
    pub birth: Time,
}

/// Opens a message.
///
/// # Errors
/// The file that cannot be opened or read.
pub(crate) fn open_message(
    queue: &Queue,
    channel: Channel,
    id: QueueId,
) -> Result<Opened, PathBuf> {
    let path = queue.recipients(channel, id);
    // For writing, too: if nobody can be marked, nobody may be delivered to.
    let file = File::options().read(true).write(true).open(&path).map_err(|_| path)?;
    let (sender, birth) = read_info(queue, id).map_err(|_| queue.info(id))?;
    let file = Arc::new(file);
    let recipients = Records::new(BufReader::new(Arc::clone(&file)));
    Ok(Opened { message: OpenMessage { recipients: file, sender }, recipients, birth })
}

/// Who sent a message, and when it came.
pub(crate) fn read_info(queue: &Queue, id: QueueId) -> io::Result<(EnvelopeSender, Time)> {
    let file = File::open(queue.info(id))?;
    let birth = modified(&file.metadata()?);
    match Records::new(BufReader::with_capacity(1200, file)).next() {
        Some(Ok(record)) if record.letter == b'F' => {
            Ok((EnvelopeSender::parse(&record.value), birth))
        }
        Some(Err(error)) => Err(error),
        Some(Ok(_)) | None => Err(io::ErrorKind::InvalidData.into()),
    }
}
