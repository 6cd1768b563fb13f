//! The pipes to and from qmail-todo.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};

use qmail_wire::todo::{BadNews, News, NewsParser, Order};

use crate::Ends;
use crate::spawner::read_some;

/// qmail-todo.
#[derive(Debug)]
pub(crate) struct Todo {
    ends: Ends,
    parser: NewsParser,
    told_to_stop: bool,
}

impl Todo {
    pub(crate) fn new(ends: Ends) -> io::Result<Self> {
        qmail_sys::set_nonblocking(&ends.to)?;
        Ok(Self { ends, parser: NewsParser::new(), told_to_stop: false })
    }

    /// Tells it something. Whether it is still there shows when we read.
    pub(crate) fn order(&mut self, order: Order) {
        if order == Order::Stop && std::mem::replace(&mut self.told_to_stop, true) {
            return;
        }
        let _ = self.ends.to.write(&[order.byte()]);
    }

    /// Reads once; the news that are complete with it.
    ///
    /// # Errors
    /// If qmail-todo is gone.
    pub(crate) fn receive(&mut self) -> io::Result<Vec<Result<News, BadNews>>> {
        let mut block = [0; 16_384];
        let length = read_some(&mut self.ends.from, &mut block)?;
        Ok(self.parser.push(block.get(..length).unwrap_or_default()))
    }

    pub(crate) fn news(&self) -> BorrowedFd<'_> {
        self.ends.from.as_fd()
    }
}
