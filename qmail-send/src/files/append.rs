//! Adding to `bounce/`.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use qmail_core::queue::{Queue, QueueId};

/// Adds the record of a failure to a message's bounce file. When this returns, it is on disk: only
/// then may the recipient be marked, or he would vanish without a word.
pub(crate) fn append(queue: &Queue, id: QueueId, record: &[u8]) -> io::Result<()> {
    let path = queue.bounce(id);
    let mut file = File::options().append(true).create(true).mode(0o600).open(&path)?;
    let before = file.metadata()?.len();
    let written = file.write_all(record).and_then(|()| file.sync_all());
    // An empty file may be one that was only now made.
    let named = written.and_then(|()| match (before, path.parent()) {
        (0, Some(parent)) => qmail_sys::sync_directory(parent),
        _ => Ok(()),
    });
    if named.is_err() {
        // So that the next attempt does not say it twice, or after half a line.
        let _ = file.set_len(before);
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_follow_each_other() {
        let root = tempfile::tempdir().unwrap();
        for directory in ["mess/0", "bounce"] {
            std::fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        let queue = Queue::open(root.path()).unwrap();
        let id = QueueId::new(7);
        append(&queue, id, b"one\n\n").unwrap();
        append(&queue, id, b"two\n\n").unwrap();
        assert_eq!(std::fs::read(queue.bounce(id)).unwrap(), b"one\n\ntwo\n\n");
        std::fs::remove_dir_all(root.path().join("bounce")).unwrap();
        assert!(append(&queue, id, b"three").is_err());
    }
}
