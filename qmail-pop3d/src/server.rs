//! The loop: reads commands, asks the session, and does what it says.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use qmail_core::conversation::{Conversation, Line, Lost};
use qmail_core::errno;
use qmail_core::unfinished::remove_unfinished;
use qmail_wire::command::Command;
use qmail_wire::pop3::{MessageEncoder, SizeCounter};

use crate::mailbox::{Mailbox, Message};
use crate::maildir::{look_again, update};
use crate::opening::open_mailbox;
use crate::replies;
use crate::session::{Action, Listing, Session};

/// The longest command line, in bytes.
const LONGEST_LINE: usize = 512;
/// Bytes of a message that are read at once.
const BLOCK: usize = 65_536;

/// How the session ended.
#[derive(Debug)]
pub enum Ended {
    /// The client was told the last word.
    Quit,
    /// There is no client any more, and the maildir is as it was.
    Lost,
    /// A message broke off in the middle, which the client can be told in no other way than by
    /// ending the connection.
    Unreadable(Unreadable),
}

/// The file that could not be read to its end.
#[derive(Debug)]
pub struct Unreadable {
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "unable to read {}: {}", self.path.display(), errno::text(&self.error))
    }
}

impl From<Lost> for Ended {
    fn from(_: Lost) -> Self {
        Self::Lost
    }
}

/// Serves a client until the session ends.
pub fn serve<R: Read, W: Write>(
    client: &mut Conversation<R, W>,
    maildir: Option<&Path>,
    now: SystemTime,
) -> Ended {
    match converse(client, maildir, now) {
        Ok(()) => Ended::Quit,
        Err(ended) => ended,
    }
}

fn converse<R: Read, W: Write>(
    client: &mut Conversation<R, W>,
    maildir: Option<&Path>,
    now: SystemTime,
) -> Result<(), Ended> {
    let Some(maildir) = maildir.filter(|maildir| maildir.is_dir()) else {
        return last_word(client, replies::NO_MAILDIR);
    };
    remove_unfinished(maildir, now);
    let Ok((mailbox, known)) = open_mailbox(maildir, now) else {
        return last_word(client, replies::NO_SCAN);
    };
    let mut session = Session::new(mailbox);
    let mut room = Room { block: vec![0; BLOCK], wire: Vec::with_capacity(BLOCK) };
    say(client, replies::OK.as_bytes())?;
    loop {
        let Line::Complete(line) = client.line(LONGEST_LINE)? else {
            say(client, replies::SYNTAX.as_bytes())?;
            continue;
        };
        let command = Command::parse(&line);
        measure_all(maildir, &mut session, &command, &mut room);
        match session.handle(&command) {
            Action::Say(line) => say(client, &line)?,
            Action::Capabilities => say(client, replies::CAPABILITIES.as_bytes())?,
            Action::List(listing) => list(client, &session, listing)?,
            Action::Send(index, lines) => {
                let message = open_message(maildir, session.mailbox_mut(), index);
                send(client, message, lines, &mut room)?;
            }
            Action::Update => {
                // A client who has not got what he fetched has nothing deleted, even if he said all of
                // it together.
                client.flush()?;
                let updated = update(maildir, session.mailbox_mut());
                known.keep(maildir, session.mailbox(), updated);
                return last_word(
                    client,
                    if updated.all_gone { replies::OK } else { replies::NOT_UNLINKED },
                );
            }
        }
    }
}

fn say<R: Read, W: Write>(client: &mut Conversation<R, W>, line: &[u8]) -> Result<(), Lost> {
    client.send(line)?;
    client.send(b"\r\n")
}

fn last_word<R: Read, W: Write>(client: &mut Conversation<R, W>, line: &str) -> Result<(), Ended> {
    say(client, line.as_bytes())?;
    Ok(client.flush()?)
}

fn list<R: Read, W: Write>(
    client: &mut Conversation<R, W>,
    session: &Session,
    listing: Listing,
) -> Result<(), Lost> {
    say(client, replies::OK.as_bytes())?;
    for (index, _) in session.mailbox().present() {
        say(client, &session.line(index, listing))?;
    }
    say(client, b".")
}

/// Memory that one message after the other is read into.
struct Room {
    block: Vec<u8>,
    wire: Vec<u8>,
}

/// Counts the octets of all messages that the command asks for.
fn measure_all(maildir: &Path, session: &mut Session, command: &Command, room: &mut Room) {
    let wanted = session.wants_sizes(command);
    let mut missing = Vec::new();
    for index in wanted {
        let size = session.mailbox().get(index).and_then(|it| measure(maildir, it, room));
        session.measure(index, size);
        if size.is_none() {
            missing.push(index);
        }
    }
    if !missing.is_empty() && look_again(maildir, session.mailbox_mut()) {
        for index in missing {
            let size = session.mailbox().get(index).and_then(|it| measure(maildir, it, room));
            session.measure(index, size);
        }
    }
}

/// The octets of a message as it is sent; `None` if it is not there to be read any more.
fn measure(maildir: &Path, message: &Message, room: &mut Room) -> Option<u64> {
    if let Some(size) = message.size_in_name() {
        // The empty line at the end is ours.
        return Some(size.saturating_add(2));
    }
    let mut file = open(&maildir.join(message.path())).ok()?;
    let mut counter = SizeCounter::new();
    let mut seen = 0_u64;
    loop {
        let length = match file.read(&mut room.block) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return None,
        };
        counter.count(room.block.get(..length)?);
        seen = seen.saturating_add(u64::try_from(length).ok()?);
        // Messages do not grow: another read would only find the end.
        if length == 0 || seen >= message.size_on_disk() {
            return Some(counter.total());
        }
    }
}

fn send<R: Read, W: Write>(
    client: &mut Conversation<R, W>,
    message: Option<(File, PathBuf)>,
    lines: Option<usize>,
    room: &mut Room,
) -> Result<(), Ended> {
    let Some((mut file, path)) = message else {
        return Ok(say(client, replies::NOT_OPENED.as_bytes())?);
    };
    say(client, replies::OK.as_bytes())?;
    let mut encoder = MessageEncoder::new(lines);
    let Room { block, wire } = room;
    loop {
        wire.clear();
        let length = match file.read(block) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Ended::Unreadable(Unreadable { path, error })),
        };
        let read = block.get(..length).unwrap_or_default();
        if read.is_empty() || !encoder.encode(read, wire) {
            break;
        }
        client.send(wire)?;
    }
    encoder.finish(wire);
    Ok(client.send(wire)?)
}

/// Opens a message, wherever it is by now.
fn open_message(maildir: &Path, mailbox: &mut Mailbox, index: usize) -> Option<(File, PathBuf)> {
    let path = maildir.join(mailbox.get(index)?.path());
    match open(&path) {
        Ok(file) => Some((file, path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            look_again(maildir, mailbox);
            let path = maildir.join(mailbox.get(index)?.path());
            Some((open(&path).ok()?, path))
        }
        Err(_) => None,
    }
}

/// Without waiting, should somebody have put a FIFO in the place of the message.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(qmail_sys::OPEN_NONBLOCKING).open(path)
}

#[cfg(test)]
mod tests;
