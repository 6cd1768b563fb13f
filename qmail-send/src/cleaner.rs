//! Our qmail-clean, which removes finished messages: they belong to qmailq.
//!
//! We do not wait for it. While a request is under way, none may be sent for the same message: as
//! soon as the first is done, a new message may have its number.
//!
//! Most replies say that all is well: to be woken for each would be a fourth of what wakes us for a
//! message. They are read when something else does, or a little later.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use qmail_core::queue::QueueId;
use qmail_wire::clean::{Reply, Request};

use crate::Ends;
use crate::schedule::Time;

/// Requests that are under way at once: they fit into the pipe, so that writing never blocks.
const AT_ONCE: usize = 64;
/// A reply is waited for so many seconds after its request, if it has not been read before.
const PATIENCE: u64 = 2;

/// The pipes to and from qmail-clean.
#[derive(Debug)]
pub(crate) struct Cleaner {
    ends: Ends,
    asked: VecDeque<QueueId>,
    /// When replies are to be waited for, if any are to come.
    due: Time,
}

impl Cleaner {
    /// From now on reading replies does not block.
    pub(crate) fn new(ends: Ends) -> io::Result<Self> {
        qmail_sys::set_nonblocking(&ends.from)?;
        Ok(Self { ends, asked: VecDeque::new(), due: 0 })
    }

    /// Whether it takes another request.
    pub(crate) fn is_ready(&self) -> bool {
        self.asked.len() < AT_ONCE
    }

    /// Whether nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.asked.is_empty()
    }

    /// When replies are to be waited for; none if there is nothing to wait for.
    pub(crate) fn due(&self) -> Option<Time> {
        let due = if self.is_ready() { self.due } else { 0 };
        (!self.is_idle()).then_some(due)
    }

    /// Has a message removed.
    ///
    /// # Errors
    /// If qmail-clean is gone.
    pub(crate) fn remove(&mut self, id: QueueId, now: Time) -> io::Result<()> {
        if self.is_idle() {
            self.due = now.saturating_add(PATIENCE);
        }
        self.asked.push_back(id);
        self.ends.to.write_all(&Request::Message(id.as_u64()).encode())
    }

    /// Reads once what is there; the messages that could not be removed.
    ///
    /// # Errors
    /// If qmail-clean is gone.
    pub(crate) fn receive(&mut self) -> io::Result<Vec<QueueId>> {
        let mut block = [0; AT_ONCE];
        let length = match self.ends.from.read(&mut block) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => length,
            Err(error)
                if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) =>
            {
                0
            }
            Err(error) => return Err(error),
        };
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
        let mut cleaner = Cleaner::new(ends).unwrap();
        assert_eq!((cleaner.due(), cleaner.receive().is_err()), (None, false));
        for id in [7, 8, 9] {
            cleaner.remove(QueueId::new(id), 1000 + id).unwrap();
        }
        let mut block = [0; 100];
        let length = File::from(requests.read).read(&mut block).unwrap();
        assert_eq!(&block[..length], b"foop/7\0foop/8\0foop/9\0");
        let mut replies = File::from(replies.write);
        replies.write_all(b"+!").unwrap();
        assert_eq!(cleaner.receive().unwrap(), [QueueId::new(8)]);
        assert!(!cleaner.is_idle());
        assert_eq!((cleaner.due(), cleaner.receive().unwrap().len()), (Some(1009), 0));
        replies.write_all(b"x").unwrap();
        assert_eq!(cleaner.receive().unwrap(), [QueueId::new(9)]);
        assert!(cleaner.is_idle());
        drop(replies);
        assert!(cleaner.receive().is_err());
        assert!(cleaner.remove(QueueId::new(1), 1000).is_err());
    }

    #[test]
    fn replies_are_waited_for_at_once_where_nothing_more_can_be_asked() {
        let (requests, replies) = (qmail_sys::pipe().unwrap(), qmail_sys::pipe().unwrap());
        let ends = Ends { to: File::from(requests.write), from: File::from(replies.read) };
        let mut cleaner = Cleaner::new(ends).unwrap();
        for id in 0..64 {
            assert!(cleaner.is_ready() && cleaner.due() != Some(0));
            cleaner.remove(QueueId::new(id), 1000).unwrap();
        }
        assert!(!cleaner.is_ready());
        assert_eq!(cleaner.due(), Some(0));
        File::from(replies.write).write_all(b"+").unwrap();
        cleaner.receive().unwrap();
        assert_eq!(cleaner.due(), Some(1002));
        drop(requests.read);
    }
}
