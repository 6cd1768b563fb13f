//! What a session leaves for the next: the list of messages, and what is sent of each.
//!
//! A large maildir takes long to list, and much longer to read, which it takes to tell how many
//! octets are sent. Both are in the file `qmail-pop3d.index` then. It is believed as far as the
//! maildir is what it was: while neither `new` nor `cur` has changed, it is the list; else what is
//! sent of the messages that are still there. A maildir without it, or with a broken one, is as
//! good, and slower.

mod line;

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::mailbox::{Mailbox, Message};
pub(crate) use line::State;

/// In the maildir, beside `new` and `cur`.
const NAME: &str = "qmail-pop3d.index";
/// A maildir with fewer messages than this is listed and read as fast.
pub(crate) const WORTH_IT: usize = 200;
/// Numbers, and a path as long as any may be.
const LONGEST_LINE: u64 = 8192;
/// Two changes of a directory may come so close that its time shows only the first. It says that
/// nothing has changed since then only if it is older than this.
const SETTLED: Duration = Duration::from_secs(2);

/// An index, read up to its first message.
pub(crate) struct Index {
    lines: BufReader<File>,
    state: State,
}

impl Index {
    /// Opens the index of a maildir, if it has one.
    pub(crate) fn open(maildir: &Path) -> Option<Self> {
        // It is the user's: he may have put anything in its place.
        let flags = qmail_sys::OPEN_NONBLOCKING | qmail_sys::OPEN_NOFOLLOW;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(maildir.join(NAME));
        let file = file.ok().filter(|file| file.metadata().is_ok_and(|it| it.is_file()))?;
        let mut lines = BufReader::with_capacity(65_536, file);
        let mut first = Vec::new();
        next_line(&mut lines, &mut first)?;
        let state = line::read_first(&first)?;
        Some(Self { lines, state })
    }

    /// The messages, if the maildir is in the state of the index.
    pub(crate) fn list(&mut self, state: Option<State>) -> Option<Vec<Message>> {
        if state != Some(self.state) {
            return None;
        }
        let mut messages = Vec::new();
        let mut line = Vec::new();
        loop {
            next_line(&mut self.lines, &mut line)?;
            if line == line::LAST {
                return Some(messages);
            }
            messages.push(line::read_entry(&line)?);
        }
    }

    /// The messages, whatever the state of the maildir, as far as they can be read.
    pub(crate) fn entries(mut self) -> impl Iterator<Item = Message> {
        let mut line = Vec::new();
        std::iter::from_fn(move || {
            next_line(&mut self.lines, &mut line)?;
            line::read_entry(&line)
        })
    }
}

fn next_line(lines: &mut BufReader<File>, line: &mut Vec<u8>) -> Option<()> {
    line.clear();
    lines.by_ref().take(LONGEST_LINE).read_until(b'\n', line).ok()?;
    line.ends_with(b"\n").then_some(())
}

/// What the maildir is, to be asked before it is listed; none if it may be changing just now.
pub(crate) fn state(maildir: &Path, now: SystemTime) -> Option<State> {
    let settled = now.checked_sub(SETTLED)?.duration_since(UNIX_EPOCH).ok()?;
    let settled = i64::try_from(settled.as_nanos()).ok()?;
    let directory = |name: &str| {
        let metadata = fs::metadata(maildir.join(name)).ok()?;
        let seconds = metadata.ctime().checked_mul(1_000_000_000)?;
        let changed = seconds.checked_add(metadata.ctime_nsec())?;
        (changed < settled).then_some((metadata.ino(), changed))
    };
    Some(State { directories: [directory("new")?, directory("cur")?] })
}

/// Writes the index anew; `state` is what the maildir still is, if that is known.
///
/// # Errors
/// If there is no room for it, for instance. The maildir then keeps the one that it has.
pub(crate) fn write(maildir: &Path, mailbox: &Mailbox, state: Option<State>) -> io::Result<()> {
    // Should it stay there, it is cleaned away like what deliveries leave.
    let unfinished = maildir.join("tmp").join(format!("{}.{NAME}", std::process::id()));
    let written = fill(&unfinished, mailbox, state)
        .and_then(|()| fs::rename(&unfinished, maildir.join(NAME)));
    if written.is_err() {
        // It is cleaned away later then.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

/// Removes the index of a maildir that has become small.
pub(crate) fn remove(maildir: &Path) {
    // It does no harm there.
    let _ = fs::remove_file(maildir.join(NAME));
}

/// Without waiting for the disk: what a crash leaves of it is not whole, and not believed.
fn fill(path: &Path, mailbox: &Mailbox, state: Option<State>) -> io::Result<()> {
    // Left by one who had our number before us.
    let _ = fs::remove_file(path);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut output = BufWriter::with_capacity(65_536, file);
    output.write_all(line::first(state).as_bytes())?;
    let mut line = Vec::new();
    for (_, message) in mailbox.present() {
        line.clear();
        line::entry(message, &mut line).ok_or(io::ErrorKind::InvalidData)?;
        output.write_all(&line)?;
    }
    output.write_all(line::LAST)?;
    output.flush()
}
