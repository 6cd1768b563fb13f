//! Bringing the messages of a maildir into an mbox: none is lost, whatever fails, and at worst one
//! is there twice.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use qmail_core::blocks::{BLOCK, Blocks};
use qmail_core::maildir::quota::Removal;
use qmail_core::mbox::{Locked, Locks, MboxError, Quoter, is_still, sync_name};

use crate::failure::{Failure, say};
use crate::from_line::from_line;
use crate::maildir::Message;

/// The longest first line in which a sender is looked for.
const FIRST_LINE: u64 = 4096;
/// The user is there to wait, and to have enough of it.
const PATIENCE: Duration = Duration::from_secs(86_400);

/// Adds `messages` to `mbox` by way of `temporary`, and removes them from the maildir.
pub fn collect(
    messages: &[Message],
    mbox: &Path,
    locks: Locks,
    temporary: &Path,
) -> Result<(), Failure> {
    let old = Locked::take(mbox, locks, PATIENCE).map_err(|error| not_locked(mbox, error))?;
    if is_still(old.file(), temporary) {
        // It would be emptied before it is read.
        return Err(Failure::Temporary(b"MAIL and MAILTMP are one file".to_vec()));
    }
    let new = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(temporary)
        .map_err(|error| failed("unable to create ", temporary, &error))?;
    let written = |error: io::Error| failed("unable to write to ", temporary, &error);
    let mut output = BufWriter::with_capacity(BLOCK, new);
    copy_old(old.file(), mbox, &mut output, temporary)?;
    for message in messages {
        append(message, &mut output, temporary)?;
    }
    let new = output.into_inner().map_err(|error| written(error.into_error()))?;
    new.sync_all().map_err(written)?;
    move_into_place(&new, temporary, mbox)?;
    remove_all(messages);
    Ok(())
}

fn not_locked(mbox: &Path, error: MboxError) -> Failure {
    let reason = match error {
        MboxError::Open(error)
        | MboxError::Lock(error)
        | MboxError::Read(error)
        | MboxError::Write(error) => error,
        MboxError::Locked => io::ErrorKind::TimedOut.into(),
    };
    failed("unable to lock ", mbox, &reason)
}

fn copy_old(
    old: &File,
    mbox: &Path,
    output: &mut impl Write,
    temporary: &Path,
) -> Result<(), Failure> {
    let read = |error: io::Error| failed("unable to read ", mbox, &error);
    let written = |error: io::Error| failed("unable to write to ", temporary, &error);
    let mut blocks = Blocks::new(old);
    let mut last = b'\n';
    while let Some(block) = blocks.next_block().map_err(read)? {
        last = block.last().copied().unwrap_or(last);
        output.write_all(block).map_err(written)?;
    }
    // The next message must begin a line, or nobody finds it.
    if last == b'\n' { Ok(()) } else { output.write_all(b"\n").map_err(written) }
}

fn append(message: &Message, output: &mut impl Write, temporary: &Path) -> Result<(), Failure> {
    let what = [b"unable to read ", message.shown().as_slice()].concat();
    let read = |error: io::Error| Failure::system(&what, &error);
    let written = |error: io::Error| failed("unable to write to ", temporary, &error);
    let mut input = BufReader::new(File::open(&message.path).map_err(read)?);
    let mut first_line = Vec::new();
    input.by_ref().take(FIRST_LINE).read_until(b'\n', &mut first_line).map_err(read)?;
    let mut waiting = from_line(&first_line, message.time);
    let mut quoter = Quoter::new();
    quoter.push(&first_line, &mut waiting);
    let mut blocks = Blocks::new(input);
    while let Some(block) = blocks.next_block().map_err(read)? {
        quoter.push(block, &mut waiting);
        output.write_all(&waiting).map_err(written)?;
        waiting.clear();
    }
    quoter.finish(&mut waiting);
    waiting.push(b'\n');
    output.write_all(&waiting).map_err(written)
}

fn move_into_place(new: &File, temporary: &Path, mbox: &Path) -> Result<(), Failure> {
    // The name has to be on disk before the messages may go. In a spool that nobody may list it comes
    // there with the file, on most file systems.
    let on_disk = |()| new.sync_all().and_then(|()| sync_name(mbox));
    fs::rename(temporary, mbox).and_then(on_disk).map_err(|error| {
        let (from, to) = (temporary.as_os_str().as_bytes(), mbox.as_os_str().as_bytes());
        Failure::system([b"unable to move ", from, b" to ", to].concat(), &error)
    })
}

/// Where there is a quota, they are taken off it.
fn remove_all(messages: &[Message]) {
    let maildir = env::current_dir().unwrap_or_default();
    let mut removal = Removal::begin(&maildir);
    for message in messages.iter().filter(|message| remove(message)) {
        let name = message.path.file_name().unwrap_or_default();
        if let Some(removal) = &mut removal {
            removal.note(name.as_bytes(), message.size);
        }
    }
    // Sums that could not be changed are too large until they are counted again.
    let _ = removal.map(Removal::finish);
}

fn remove(message: &Message) -> bool {
    let removed = fs::remove_file(&message.path);
    if let Err(error) = &removed {
        let reason = qmail_core::errno::text(error).as_bytes();
        let twice = b" will be delivered twice; unable to unlink: ".as_slice();
        say(&[b"maildir2mbox: warning: ", &*message.shown(), twice, reason, b"\n"].concat());
    }
    removed.is_ok()
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::system([what.as_bytes(), path.as_os_str().as_bytes()].concat(), error)
}
