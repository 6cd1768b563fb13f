//! Our qmail-clean, which removes envelopes from `todo/`: they belong to qmailq.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use qmail_core::queue::{Queue, QueueId, Todo};
use qmail_wire::clean::{Reply, Request};

/// Requests that are under way at once: their bytes and the replies fit into the pipes, so that
/// neither side can wait for the other.
pub(crate) const AT_ONCE: usize = 64;

/// The pipes to and from qmail-clean.
#[derive(Debug)]
pub(crate) struct Cleaner {
    requests: File,
    replies: File,
}

impl Cleaner {
    pub(crate) fn new(requests: File, replies: File) -> Self {
        Self { requests, replies }
    }

    /// Has the envelopes of messages removed, at most [`AT_ONCE`]; for each, whether it is gone.
    ///
    /// # Errors
    /// If qmail-clean is gone: nobody knows then how far it came.
    pub(crate) fn clean(&mut self, queue: &Queue, ids: &[QueueId]) -> io::Result<Vec<bool>> {
        let requests: Vec<u8> = ids.iter().flat_map(|id| request(queue, *id).encode()).collect();
        self.requests.write_all(&requests)?;
        let mut replies = vec![0; ids.len()];
        self.replies.read_exact(&mut replies)?;
        Ok(replies.into_iter().map(Reply::is_done).collect())
    }

    /// Where replies come from. Between requests it becomes readable only if qmail-clean is gone.
    pub(crate) fn replies(&self) -> BorrowedFd<'_> {
        self.replies.as_fd()
    }
}

fn request(queue: &Queue, id: QueueId) -> Request {
    let part = match queue.todo_layout() {
        Todo::Flat => None,
        Todo::Hashed => Some(id.as_u64() % queue.split()),
    };
    Request::Todo { id: id.as_u64(), part }
}
