//! What is done to a message.

use std::fs::{self, File, FileTimes};
use std::io::{self, BufReader, ErrorKind};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use qmail_core::queue::{Channel, Records, mark_done};
use qmail_sys::sync_directory;

use super::held::{Access, Held, Stage};

/// Whether qmail-send works on the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Daemon {
    /// It does, or may begin to: it alone removes files.
    Running,
    /// It does not, and cannot begin to.
    Absent,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    Yes,
    /// qmail-todo has to see the message first.
    NotYet,
    /// It never was in the queue, or is no more.
    NotQueued,
}

/// Nobody gets the message any more, and nobody hears of that.
pub(super) fn delete(held: &Held<'_>, daemon: Daemon) -> io::Result<Done> {
    match (held.stage()?, daemon) {
        (Stage::Unfinished, _) => Ok(Done::NotQueued),
        (Stage::Waiting, Daemon::Running) => Ok(Done::NotYet),
        (Stage::Queued, Daemon::Running) => mark_all(held).map(|()| Done::Yes),
        (Stage::Waiting | Stage::Queued, Daemon::Absent) => remove(held).map(|()| Done::Yes),
    }
}

/// Marks everybody as done. qmail-send skips them at the next attempt, finds nobody left, and
/// removes the message as it does every other.
fn mark_all(held: &Held<'_>) -> io::Result<()> {
    for channel in Channel::ALL {
        let Some(file) = held.recipients(channel, Access::Mark)? else { continue };
        // All are read before the first is marked: a file that is damaged stays as it is.
        let records: Vec<_> = Records::new(BufReader::new(&file)).collect::<io::Result<_>>()?;
        for record in records.iter().filter(|record| record.letter == b'T') {
            mark_done(&file, record.offset)?;
        }
        file.sync_all()?;
    }
    // Afterwards: as long as somebody is left, failures are to be told of.
    remove_file(&held.queue.bounce(held.id))
}

/// Removes all files, in an order in which a crash at no point makes another message of them.
fn remove(held: &Held<'_>) -> io::Result<()> {
    let (queue, id) = (held.queue, held.id);
    remove_file(&queue.bounce(id))?;
    for channel in Channel::ALL {
        remove_file(&queue.recipients(channel, id))?;
    }
    remove_file(&queue.info(id))?;
    remove_file(&queue.todo(id))?;
    remove_file(&queue.intd(id))?;
    remove_file(&queue.mess(id))
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        removed => removed?,
    }
    path.parent().map_or(Ok(()), sync_directory)
}

/// The message becomes too old: after one more attempt, whoever has not got it is given up, and its
/// sender hears of it.
pub(super) fn expire(held: &Held<'_>, daemon: Daemon) -> io::Result<Done> {
    set_birth(held, daemon, UNIX_EPOCH)
}

/// The message begins its life anew.
pub(super) fn renew(held: &Held<'_>, daemon: Daemon) -> io::Result<Done> {
    set_birth(held, daemon, SystemTime::now())
}

fn set_birth(held: &Held<'_>, daemon: Daemon, birth: SystemTime) -> io::Result<Done> {
    match held.stage()? {
        Stage::Unfinished => return Ok(Done::NotQueued),
        Stage::Waiting => return Ok(Done::NotYet),
        Stage::Queued => {}
    }
    let Some(info) = held.info()? else { return Ok(Done::NotQueued) };
    set_modified(&info, birth)?;
    if daemon == Daemon::Absent {
        make_due(held)?;
    }
    Ok(Done::Yes)
}

/// qmail-send tries the message as soon as it starts: the times of these files say when.
pub(super) fn make_due(held: &Held<'_>) -> io::Result<()> {
    for channel in Channel::ALL {
        if let Some(file) = held.recipients(channel, Access::Read)? {
            set_modified(&file, SystemTime::now())?;
        }
    }
    Ok(())
}

fn set_modified(file: &File, time: SystemTime) -> io::Result<()> {
    file.set_times(FileTimes::new().set_modified(time))?;
    file.sync_all()
}
