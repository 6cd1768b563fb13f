//! Adding to `bounce/`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use qmail_core::queue::{Queue, QueueId};

/// Adds the record of a failure to a message's bounce file. When this returns, it is on disk: only
/// then may the recipient be marked, or he would vanish without a word.
pub(crate) fn append(queue: &Queue, id: QueueId, record: &[u8]) -> io::Result<()> {
    let path = queue.bounce(id);
    let mut file = File::options().append(true).create(true).mode(0o600).open(&path)?;
    let before = file.metadata()?.len();
    let named = match (before, path.parent()) {
        // Before it has anything to say: where there is something in it, whoever wrote that has
        // synced the name, even if he did not live to come back.
        (0, Some(parent)) => qmail_sys::sync_directory(parent),
        _ => Ok(()),
    };
    let written = named.and_then(|()| file.write_all(record)).and_then(|()| file.sync_all());
    if written.is_err() {
        // So that the next attempt does not say it twice, or after half a line; and that nobody is
        // told of failures when there are none in the end.
        let _ = if before == 0 { fs::remove_file(&path) } else { file.set_len(before) };
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::queue;

    #[test]
    fn records_follow_each_other() {
        let (root, queue) = queue(&["mess/0", "bounce"]);
        let id = QueueId::new(7);
        append(&queue, id, b"one\n\n").unwrap();
        append(&queue, id, b"two\n\n").unwrap();
        assert_eq!(std::fs::read(queue.bounce(id)).unwrap(), b"one\n\ntwo\n\n");
        std::fs::remove_dir_all(root.path().join("bounce")).unwrap();
        assert!(append(&queue, id, b"three").is_err());
    }

    #[test]
    fn a_record_that_cannot_be_written_leaves_no_failure_behind() {
        let (_root, queue) = queue(&["mess/0", "bounce"]);
        let id = QueueId::new(7);
        std::os::unix::fs::symlink("/dev/full", queue.bounce(id)).unwrap();
        assert!(append(&queue, id, b"one\n\n").is_err());
        assert!(std::fs::symlink_metadata(queue.bounce(id)).is_err());
        append(&queue, id, b"two\n\n").unwrap();
        assert_eq!(std::fs::read(queue.bounce(id)).unwrap(), b"two\n\n");
    }
}
