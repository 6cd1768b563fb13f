//! Messages that wait in a qmail queue, written as qmail-queue and qmail-todo leave them there.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use qmail_conformance::{Identity, Tree};

/// When they are tried again: not while we measure.
const LATER: Duration = Duration::from_secs(86_400);

/// Puts so many messages into a tree's queue, all for one recipient elsewhere.
pub(crate) fn fill(tree: &Tree, messages: usize) -> io::Result<()> {
    let queue = tree.path("queue");
    let split = fs::read_dir(queue.join("mess"))?.count();
    let maker = Maker {
        split: u64::try_from(split).map_err(io::Error::other)?,
        receiver: tree.accounts().qmailq,
        sender: tree.accounts().qmails,
        queue,
    };
    (0..messages).try_for_each(|_| maker.make())
}

struct Maker {
    queue: PathBuf,
    split: u64,
    receiver: Identity,
    sender: Identity,
}

impl Maker {
    fn make(&self) -> io::Result<()> {
        let temporary = self.queue.join("pid/1");
        let body = b"From: <sender@elsewhere.example>\n\nhello\n";
        let message = self.write(&temporary, body, self.receiver, 0o644)?;
        let number = message.metadata()?.ino();
        fs::rename(&temporary, self.path("mess", number))?;
        let sender = b"Fsender@elsewhere.example\0";
        self.write(&self.path("info", number), sender, self.sender, 0o600)?;
        let recipient = b"Tthem@remote.example\0";
        let waiting = self.write(&self.path("remote", number), recipient, self.sender, 0o600)?;
        let due = SystemTime::now() + LATER;
        waiting.set_times(FileTimes::new().set_accessed(due).set_modified(due))
    }

    fn path(&self, part: &str, number: u64) -> PathBuf {
        self.queue.join(format!("{part}/{}/{number}", number % self.split.max(1)))
    }

    fn write(&self, path: &Path, text: &[u8], owner: Identity, mode: u32) -> io::Result<File> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(text)?;
        fchown(&file, Some(owner.uid), Some(owner.gid))?;
        Ok(file)
    }
}
