//! What goes to qmail-send: collected while we work, then written in one piece.

use std::fs::File;
use std::io::{self, Write};

use qmail_core::log::Line;
use qmail_wire::todo::News;

/// So much is collected at most before it is written.
const ENOUGH: usize = 32_768;

/// The pipe to qmail-send.
#[derive(Debug)]
pub(crate) struct Reporter {
    pipe: File,
    waiting: Vec<u8>,
    /// Nobody reads any more: everything else is in vain.
    lost: bool,
}

impl Reporter {
    pub(crate) fn new(pipe: File) -> Self {
        Self { pipe, waiting: Vec::new(), lost: false }
    }

    /// Has qmail-send log a line, which ends with LF.
    pub(crate) fn log(&mut self, line: Vec<u8>) {
        self.tell(&News::Log(line));
    }

    /// Has qmail-send log words of our own.
    pub(crate) fn log_text(&mut self, text: &str) {
        self.log(Line::new(text).end());
    }

    pub(crate) fn tell(&mut self, news: &News) {
        self.waiting.extend(news.encode());
        if self.waiting.len() >= ENOUGH {
            self.write();
        }
    }

    /// Writes everything now, and waits until qmail-send has room for it: news that are dropped
    /// would be messages that nobody delivers.
    ///
    /// # Errors
    /// If qmail-send is gone.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.write();
        if self.lost { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }

    fn write(&mut self) {
        self.lost |= self.pipe.write_all(&self.waiting).is_err();
        self.waiting.clear();
    }
}
