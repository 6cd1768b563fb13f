//! Writing down what becomes of a message.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use qmail_core::control::leading_number;
use qmail_core::queue::{Channel, Queue, QueueId, Record, Records};

use crate::lines::{self, Info, Trouble};
use crate::reporter::Reporter;
use crate::route::Routes;

/// So much of an envelope is read at once.
const ENVELOPE: usize = 4096;
/// Room for a sender.
const INFO: usize = 1100;
/// So much is written of a list of recipients at once.
const RECIPIENTS: usize = 8192;

/// A message whose files are written but may not be on disk.
#[derive(Debug)]
pub(crate) struct Written {
    pub id: QueueId,
    /// `info/` first, then the channels.
    pub files: Vec<WrittenFile>,
    /// Directories whose entries for it have changed.
    pub directories: BTreeSet<PathBuf>,
    channels: Vec<Channel>,
}

/// One of its files.
#[derive(Debug)]
pub(crate) struct WrittenFile {
    pub path: PathBuf,
    pub file: File,
}

impl Written {
    /// Whether it has recipients on `channel`.
    pub(crate) fn has(&self, channel: Channel) -> bool {
        self.channels.contains(&channel)
    }
}

/// Writes the files of a message, after removing what an earlier attempt left of them.
pub(crate) fn write(
    queue: &Queue,
    routes: &Routes,
    id: QueueId,
    reporter: &mut Reporter,
) -> Result<Written, Trouble> {
    let todo = queue.todo(id);
    let envelope = File::open(&todo).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Trouble::Gone(queue.name_of(&todo)),
        _ => Trouble::Open(queue.name_of(&todo)),
    })?;
    let mess = queue.mess(id);
    let bytes = fs::metadata(&mess).map_err(|_| Trouble::Stat(queue.name_of(&mess)))?.len();
    let mut left_over = BTreeSet::new();
    for channel in Channel::ALL {
        remove(queue, queue.recipients(channel, id), &mut left_over)?;
    }
    // Where names reach the disk in no order, this may be what another message with this number had
    // to say: nobody else may hear of it.
    remove(queue, queue.bounce(id), &mut left_over)?;
    remove(queue, queue.info(id), &mut left_over)?;
    let mut writer = Writer::new(queue, id, bytes)?;
    reporter.log(lines::new_message(id));
    for record in Records::new(BufReader::with_capacity(ENVELOPE, envelope)) {
        let record = record.map_err(|_| Trouble::Read(queue.name_of(&todo)))?;
        writer.take(&record, routes, reporter)?;
    }
    writer.finish(left_over)
}

/// Removes what an earlier attempt left, and notes where: what came back after a power failure would
/// be delivered.
fn remove(queue: &Queue, path: PathBuf, changed: &mut BTreeSet<PathBuf>) -> Result<(), Trouble> {
    match fs::remove_file(&path) {
        Ok(()) => changed.extend(path.parent().map(Path::to_owned)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(_) => return Err(Trouble::Unlink(queue.name_of(&path))),
    }
    Ok(())
}

/// The files of one message while its envelope is read. Recipients are passed on one by one.
struct Writer<'q> {
    queue: &'q Queue,
    id: QueueId,
    bytes: u64,
    user: u64,
    process: u64,
    sender_known: bool,
    info: Output,
    recipients: Vec<(Channel, Output)>,
}

impl<'q> Writer<'q> {
    fn new(queue: &'q Queue, id: QueueId, bytes: u64) -> Result<Self, Trouble> {
        let info = Output::create(queue, queue.info(id), INFO)?;
        let (user, process, sender_known, recipients) = (0, 0, false, Vec::new());
        Ok(Self { queue, id, bytes, user, process, sender_known, info, recipients })
    }

    fn take(
        &mut self,
        record: &Record,
        routes: &Routes,
        reporter: &mut Reporter,
    ) -> Result<(), Trouble> {
        match record.letter {
            b'u' => self.user = leading_number(&record.value).unwrap_or(0),
            b'p' => self.process = leading_number(&record.value).unwrap_or(0),
            b'F' if !self.sender_known => {
                self.sender_known = true;
                self.info.record(self.queue, b"F", &record.value)?;
                reporter.log(lines::info(&Info {
                    id: self.id,
                    bytes: self.bytes,
                    sender: &record.value,
                    process: self.process,
                    user: self.user,
                }));
            }
            b'T' => {
                let routed = routes.route(&record.value);
                let queue = self.queue;
                self.output(routed.channel)?.record(queue, b"T", &routed.address)?;
            }
            _ => return Err(Trouble::UnknownRecord(self.todo())),
        }
        Ok(())
    }

    /// The file of a channel, made when its first recipient comes.
    fn output(&mut self, channel: Channel) -> Result<&mut Output, Trouble> {
        let known = self.recipients.iter().position(|(other, _)| *other == channel);
        let at = match known {
            Some(at) => at,
            None => {
                let path = self.queue.recipients(channel, self.id);
                self.recipients.push((channel, Output::create(self.queue, path, RECIPIENTS)?));
                self.recipients.len() - 1
            }
        };
        let found = self.recipients.get_mut(at).map(|(_, output)| output);
        found.ok_or_else(|| Trouble::Create(self.queue.todo_name("todo", self.id)))
    }

    fn finish(self, mut directories: BTreeSet<PathBuf>) -> Result<Written, Trouble> {
        // Without a sender nobody could be told of a failure: the envelope is damaged.
        if !self.sender_known {
            return Err(Trouble::Read(self.todo()));
        }
        let Self { queue, id, info, mut recipients, .. } = self;
        recipients.sort_by_key(|(channel, _)| *channel);
        let channels = recipients.iter().map(|(channel, _)| *channel).collect();
        let outputs = std::iter::once(info).chain(recipients.into_iter().map(|(_, output)| output));
        let outputs = outputs.map(|output| output.finish(queue));
        let files = outputs.collect::<Result<Vec<WrittenFile>, Trouble>>()?;
        directories.extend(files.iter().filter_map(|one| one.path.parent()).map(Path::to_owned));
        Ok(Written { id, files, directories, channels })
    }

    fn todo(&self) -> String {
        self.queue.todo_name("todo", self.id)
    }
}

/// A file that is being written.
struct Output {
    path: PathBuf,
    writer: BufWriter<File>,
}

impl Output {
    fn create(queue: &Queue, path: PathBuf, room: usize) -> Result<Self, Trouble> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match file {
            Ok(file) => Ok(Self { path, writer: BufWriter::with_capacity(room, file) }),
            Err(_) => Err(Trouble::Create(queue.name_of(&path))),
        }
    }

    fn record(&mut self, queue: &Queue, letter: &[u8], value: &[u8]) -> Result<(), Trouble> {
        let parts = [letter, value, b"\0"];
        let written = parts.iter().try_for_each(|part| self.writer.write_all(part));
        written.map_err(|_| Trouble::Write(queue.name_of(&self.path)))
    }

    fn finish(self, queue: &Queue) -> Result<WrittenFile, Trouble> {
        match self.writer.into_inner() {
            Ok(file) => Ok(WrittenFile { path: self.path, file }),
            Err(_) => Err(Trouble::Write(queue.name_of(&self.path))),
        }
    }
}
