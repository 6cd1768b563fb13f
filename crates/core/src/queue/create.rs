//! Putting a message into the queue: each step consumes the state before it, so that none can be
//! left out, swapped or repeated. The order is the specification: docs/ARCHITECTURE.md, The queue.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use qmail_sys::{Journal, begin_writing, sync_directory, write_out};

use super::{Queue, QueueId, trigger};

/// What makes the name of a file in `pid/` unique: no two processes have the same id at one time.
#[derive(Clone, Copy, Debug)]
pub struct Unique {
    /// Process id.
    pub process: u32,
    /// Seconds since 1970.
    pub time: u64,
}

/// The step that failed.
#[derive(Debug)]
pub enum CreateError {
    /// No file in `pid/` could be made, or it could not be removed again.
    PidFile(io::Error),
    /// It could not be linked into `mess/`: the number may be in use in a queue that was copied.
    LinkMess(io::Error),
    /// No file in `intd/` could be made.
    CreateIntd(io::Error),
    /// The envelope could not be linked into `todo/`.
    LinkTodo(io::Error),
    /// Something could not be brought to the disk.
    Sync(io::Error),
}

impl fmt::Display for CreateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, error) = match self {
            Self::PidFile(error) => ("make a file in pid", error),
            Self::LinkMess(error) => ("link the message", error),
            Self::CreateIntd(error) => ("make the envelope", error),
            Self::LinkTodo(error) => ("link the envelope", error),
            Self::Sync(error) => ("write to disk", error),
        };
        write!(formatter, "unable to {what}: {}", crate::errno::text(error))
    }
}

impl std::error::Error for CreateError {}

/// State S2: `mess/` has the message, which is being written.
#[derive(Debug)]
pub struct Incoming<'q> {
    files: Files<'q>,
    message: File,
}

/// State S3: the message is complete, `intd/` has the envelope, which is being written.
#[derive(Debug)]
pub struct Envelope<'q> {
    files: Files<'q>,
    message: File,
    envelope: File,
}

impl Queue {
    /// S1 to S2: takes a number, and makes a file to write the message to.
    pub fn create(&self, unique: Unique) -> Result<Incoming<'_>, CreateError> {
        let (path, message) = self.pid_file(unique).map_err(CreateError::PidFile)?;
        let inode = message.metadata().map_err(CreateError::PidFile)?.ino();
        let mut files = Files { queue: self, id: QueueId::new(inode), made: Vec::new() };
        let mess = self.mess(files.id);
        let linked = fs::hard_link(&path, &mess);
        let removed = fs::remove_file(&path);
        linked.map_err(CreateError::LinkMess)?;
        files.made.push(mess);
        removed.map_err(CreateError::PidFile)?;
        Ok(Incoming { files, message })
    }

    fn pid_file(&self, unique: Unique) -> io::Result<(PathBuf, File)> {
        let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
        for sequence in 1..10 {
            let name = format!("pid/{}.{}.{sequence}", unique.process, unique.time);
            let path = self.root().join(name);
            match create_new(&path) {
                Ok(file) => return Ok((path, file)),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl<'q> Incoming<'q> {
    /// S2 to S3: the message is complete.
    pub fn complete(mut self) -> Result<Envelope<'q>, CreateError> {
        let intd = self.files.queue.intd(self.files.id);
        let envelope = create_new(&intd).map_err(CreateError::CreateIntd)?;
        // Before the message, which is removed last: S3 never lacks it.
        self.files.made.insert(0, intd);
        Ok(Envelope { files: self.files, message: self.message, envelope })
    }
}

impl Write for Incoming<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.message.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Envelope<'_> {
    /// S3 to S4: the envelope is complete. From now on the message is delivered, whatever happens
    /// to this process, and when this returns, whatever happens to this machine.
    pub fn commit(mut self) -> Result<QueueId, CreateError> {
        let (queue, id) = (self.files.queue, self.files.id);
        self.make_safe().map_err(CreateError::Sync)?;
        let todo = queue.todo(id);
        fs::hard_link(queue.intd(id), &todo).map_err(CreateError::LinkTodo)?;
        self.files.made.clear();
        sync_parent(&todo).map_err(CreateError::Sync)?;
        trigger::pull(queue);
        Ok(id)
    }

    /// What a todo promises is on disk before it, or comes there with it: a todo without its mess would
    /// be a message that was accepted and lost. The name in intd promises nothing: todo is another one
    /// for the same file.
    fn make_safe(&self) -> io::Result<()> {
        // Two files by one write of the journal.
        begin_writing(&self.envelope);
        let journal = Journal::of(&self.message);
        if journal.is_some_and(|journal| journal.has(&self.envelope)) {
            write_out(&self.message)?;
            return write_out(&self.envelope);
        }
        self.message.sync_all()?;
        self.envelope.sync_all()?;
        sync_parent(&self.files.queue.mess(self.files.id))
    }
}

impl Write for Envelope<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.envelope.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The files of a message that is not queued yet: without a commit they go again.
#[derive(Debug)]
struct Files<'q> {
    queue: &'q Queue,
    id: QueueId,
    made: Vec<PathBuf>,
}

impl Drop for Files<'_> {
    fn drop(&mut self) {
        for path in &self.made {
            // What stays is found by qmail-send's sweep after 36 hours.
            let _ = fs::remove_file(path);
        }
    }
}

/// Readable for all: the spawners have neither the user nor, in general, the group of this file,
/// and its directories keep others out.
fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o644).open(path)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    sync_directory(path.parent().unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIQUE: Unique = Unique { process: 1, time: 2 };

    fn queue() -> (tempfile::TempDir, Queue) {
        let root = tempfile::tempdir().unwrap();
        for directory in ["pid", "mess/0", "mess/1", "intd", "todo", "lock"] {
            fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        let queue = Queue::open(root.path()).unwrap();
        (root, queue)
    }

    fn count(directory: PathBuf) -> usize {
        fs::read_dir(directory).unwrap().count()
    }

    #[test]
    fn a_committed_message_is_in_state_s4() {
        let (root, queue) = queue();
        let mut incoming = queue.create(UNIQUE).unwrap();
        incoming.write_all(b"message").unwrap();
        let mut envelope = incoming.complete().unwrap();
        envelope.write_all(b"F\0").unwrap();
        let id = envelope.commit().unwrap();
        assert_eq!(fs::read(queue.mess(id)).unwrap(), b"message");
        assert_eq!(fs::metadata(queue.mess(id)).unwrap().ino(), id.as_u64());
        assert_eq!(fs::read(queue.todo(id)).unwrap(), b"F\0");
        assert!(queue.intd(id).exists());
        assert_eq!(count(root.path().join("pid")), 0);
    }

    #[test]
    fn an_abandoned_message_leaves_nothing() {
        let (root, queue) = queue();
        drop(queue.create(UNIQUE).unwrap());
        drop(queue.create(UNIQUE).unwrap().complete().unwrap());
        for directory in ["pid", "mess/0", "mess/1", "intd", "todo"] {
            assert_eq!(count(root.path().join(directory)), 0, "{directory}");
        }
    }

    #[test]
    fn nine_names_are_tried() {
        let (root, queue) = queue();
        for sequence in 1..9 {
            File::create(root.path().join(format!("pid/1.2.{sequence}"))).unwrap();
        }
        assert!(queue.create(UNIQUE).is_ok());
        File::create(root.path().join("pid/1.2.9")).unwrap();
        assert!(matches!(queue.create(UNIQUE), Err(CreateError::PidFile(_))));
    }
}
