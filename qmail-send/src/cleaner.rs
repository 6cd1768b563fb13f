//! Our qmail-clean, which removes finished messages: they belong to qmailq.
//!
//! We do not wait for it. While a request is under way, none may be sent for the same message: as
//! soon as the first is done, a new message may have its number.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};

use qmail_core::queue::QueueId;
use qmail_wire::clean::{Reply, Request};

use crate::Ends;
use crate::spawner::read_some;

/// Requests that are under way at once: they fit into the pipe, so that writing never blocks.
const AT_ONCE: usize = 64;

/// The pipes to and from qmail-clean.
#[derive(Debug)]
pub(crate) struct Cleaner {
    ends: Ends,
    asked: VecDeque<QueueId>,
}

impl Cleaner {
    pub(crate) fn new(ends: Ends) -> Self {
        Self { ends, asked: VecDeque::new() }
    }

    /// Whether it takes another request.
    pub(crate) fn is_ready(&self) -> bool {
        self.asked.len() < AT_ONCE
    }

    /// Whether nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.asked.is_empty()
    }

    /// Has a message removed.
    ///
    /// # Errors
    /// If qmail-clean is gone.
    pub(crate) fn remove(&mut self, id: QueueId) -> io::Result<()> {
        self.asked.push_back(id);
        self.ends.to.write_all(&Request::Message(id.as_u64()).encode())
    }

    /// Reads once; the messages that could not be removed.
    ///
    /// # Errors
    /// If qmail-clean is gone.
    pub(crate) fn receive(&mut self) -> io::Result<Vec<QueueId>> {
        let mut block = [0; AT_ONCE];
        let length = read_some(&mut self.ends.from, &mut block)?;
        let replies = block.iter().take(length);
        let answered = replies.filter_map(|reply| Some((self.asked.pop_front()?, *reply)));
        Ok(answered.filter(|(_, reply)| !Reply::is_done(*reply)).map(|(id, _)| id).collect())
    }

    pub(crate) fn replies(&self) -> BorrowedFd<'_> {
        self.ends.from.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Read;

    #[test]
    fn replies_belong_to_requests_in_their_order() {
        let (requests, replies) = (qmail_sys::pipe().unwrap(), qmail_sys::pipe().unwrap());
        let ends = Ends { to: File::from(requests.write), from: File::from(replies.read) };
        let mut cleaner = Cleaner::new(ends);
        for id in [7, 8, 9] {
            cleaner.remove(QueueId::new(id)).unwrap();
        }
        let mut block = [0; 100];
        let length = File::from(requests.read).read(&mut block).unwrap();
        assert_eq!(&block[..length], b"foop/7\0foop/8\0foop/9\0");
        let mut replies = File::from(replies.write);
        replies.write_all(b"+!").unwrap();
        assert_eq!(cleaner.receive().unwrap(), [QueueId::new(8)]);
        assert!(!cleaner.is_idle());
        replies.write_all(b"x").unwrap();
        assert_eq!(cleaner.receive().unwrap(), [QueueId::new(9)]);
        assert!(cleaner.is_idle());
        drop(replies);
        assert!(cleaner.receive().is_err());
        assert!(cleaner.remove(QueueId::new(1)).is_err());
    }
}
