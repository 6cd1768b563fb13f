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
use crate::files::Body;
use crate::spawner::read_some;

/// Requests that are under way at once: they fit into the pipe, so that writing never blocks.
const AT_ONCE: usize = 64;

/// The pipes to and from qmail-clean.
#[derive(Debug)]
pub(crate) struct Cleaner {
    ends: Ends,
    asked: VecDeque<Asked>,
}

/// A message that is to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub id: QueueId,
    /// Its file, unless it is litter, which needs no looking after.
    pub body: Option<Body>,
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
    pub(crate) fn remove(&mut self, asked: Asked) -> io::Result<()> {
        self.asked.push_back(asked);
        self.ends.to.write_all(&Request::Message(asked.id.as_u64()).encode())
    }

    /// Messages of which nobody knows whether they are removed.
    pub(crate) fn unanswered(self) -> impl Iterator<Item = Asked> {
        self.asked.into_iter()
    }

    /// Reads once; the messages that could not be removed.
    ///
    /// # Errors
    /// If qmail-clean is gone.
    pub(crate) fn receive(&mut self) -> io::Result<Vec<QueueId>> {
        let mut block = [0; AT_ONCE];
        let length = read_some(&mut self.ends.from, &mut block)?;
        let replies = block.iter().take(length);
        let answered = replies.filter_map(|reply| Some((self.asked.pop_front()?.id, *reply)));
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
        let asked = |id| Asked { id: QueueId::new(id), body: None };
        for id in [7, 8, 9] {
            cleaner.remove(asked(id)).unwrap();
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
        assert!(cleaner.remove(asked(1)).is_err());
        assert_eq!(cleaner.unanswered().collect::<Vec<_>>(), [asked(1)]);
    }
}
