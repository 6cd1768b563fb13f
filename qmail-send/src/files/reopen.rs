//! Taking back the end of a message.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use qmail_core::queue::{Queue, QueueId};

use super::look;

/// What tells the file of a message in `mess/` from another one that has its number later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    changed: (i64, i64),
    size: u64,
}

/// The file of a message, if it is there.
pub(crate) fn body(queue: &Queue, id: QueueId) -> Option<Body> {
    let file = look(&queue.mess(id)).ok().flatten()?;
    Some(Body { changed: (file.ctime(), file.ctime_nsec()), size: file.size() })
}

/// Makes a message that was to be removed a finished one again, so that the next start has it
/// removed; nothing else would for 36 hours. If its file is gone there is nothing to do.
pub(crate) fn reopen(queue: &Queue, id: QueueId, body: Body) -> io::Result<()> {
    if self::body(queue, id) != Some(body) {
        return Ok(());
    }
    let path = queue.info(id);
    // Whose it was does not matter any more: he has been told whatever there was to tell.
    File::options().write(true).create_new(true).mode(0o600).open(path)?.write_all(b"F\0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_message_that_it_was_is_reopened() {
        let root = tempfile::tempdir().unwrap();
        for directory in ["mess/0", "info/0", "todo"] {
            std::fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        let (queue, id) = (Queue::open(root.path()).unwrap(), QueueId::new(7));
        File::create(queue.mess(id)).unwrap().write_all(b"body").unwrap();
        let seen = body(&queue, id).unwrap();
        reopen(&queue, id, seen).unwrap();
        assert!(super::super::read_info(&queue, id).is_ok());
        assert!(reopen(&queue, id, seen).is_err(), "it is open already");
        std::fs::remove_file(queue.info(id)).unwrap();
        let other = Body { size: 5, ..seen };
        reopen(&queue, id, other).unwrap();
        std::fs::remove_file(queue.mess(id)).unwrap();
        reopen(&queue, id, seen).unwrap();
        assert!(!queue.info(id).exists());
    }
}
