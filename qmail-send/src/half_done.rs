//! Messages that a qmail-todo before ours had written down, but that were still in `todo/`.
//!
//! As a rule our own qmail-todo finds them there, does them again and tells us. But where the other
//! one was killed, its qmail-clean may just be about to remove them from `todo/`: then nobody tells,
//! and nobody would deliver them before the next start. What tells the two apart is whether `info/`
//! has been written anew.

use std::collections::HashMap;
use std::time::SystemTime;

use qmail_core::queue::{Queue, QueueId};

use crate::files::look;

/// When the `info/` of each of them was written.
#[derive(Debug, Default)]
pub(crate) struct HalfDone(HashMap<QueueId, SystemTime>);

impl HalfDone {
    /// A message is both in `todo/` and in `info/`.
    pub(crate) fn note(&mut self, queue: &Queue, id: QueueId) {
        if let Some(written) = written(queue, id) {
            self.0.entry(id).or_insert(written);
        }
    }

    /// qmail-todo has told us of a message.
    pub(crate) fn forget(&mut self, id: QueueId) {
        self.0.remove(&id);
    }

    /// A message has left `todo/`: whether it is qmail-todo who tells us, or has told us, of it.
    pub(crate) fn is_told(&mut self, queue: &Queue, id: QueueId) -> bool {
        self.0.remove(&id).is_some_and(|before| written(queue, id) != Some(before))
    }
}

fn written(queue: &Queue, id: QueueId) -> Option<SystemTime> {
    look(&queue.info(id)).ok().flatten()?.modified().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::queue;
    use std::fs::File;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_message_is_told_of_if_its_info_is_another() {
        let (_root, queue) = queue(&["mess/0", "info/0", "todo"]);
        let (id, mut half_done) = (QueueId::new(7), HalfDone::default());
        let write = |seconds| {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            File::create(queue.info(id)).unwrap().set_modified(time).unwrap();
        };
        assert!(!half_done.is_told(&queue, id));
        write(1000);
        half_done.note(&queue, id);
        assert!(!half_done.is_told(&queue, id));
        half_done.note(&queue, id);
        write(1001);
        half_done.note(&queue, id);
        assert!(half_done.is_told(&queue, id));
        half_done.note(&queue, id);
        half_done.forget(id);
        assert!(!half_done.is_told(&queue, id));
        half_done.note(&queue, id);
        std::fs::remove_file(queue.info(id)).unwrap();
        assert!(half_done.is_told(&queue, id));
    }
}
