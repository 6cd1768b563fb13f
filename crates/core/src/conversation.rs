//! A client on the other end of a connection, who sends lines and waits for replies.

use std::io::{self, BufWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::time::Duration;

use crate::read_ahead::ReadAhead;
use crate::timed::Timed;

/// Replies are gathered up to so many bytes; what is longer goes out as it is. More would be taken from
/// the system, and given back to it, for each client.
const GATHERED: usize = 8192;

/// Both directions of a connection.
///
/// Replies are collected, and sent before any read that has to wait: a client that sends several
/// commands together gets the replies to them together.
#[derive(Debug)]
pub struct Conversation<R, W: Write> {
    input: ReadAhead<R>,
    output: BufWriter<Once<W>>,
}

/// A writer that is not tried again once it has failed: what is gathered is written when it is dropped,
/// too, and a client who does not listen would be waited for twice.
#[derive(Debug)]
struct Once<W> {
    writer: W,
    has_failed: bool,
}

impl<W: Write> Write for Once<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.has_failed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let written = self.writer.write(bytes);
        let again = |error: &io::Error| error.kind() == io::ErrorKind::Interrupted;
        self.has_failed = written.as_ref().is_err_and(|error| !again(error));
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// A line from the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The line, without the LF that ended it.
    Complete(Vec<u8>),
    /// There was a line, but it was longer than allowed. It has been read and dropped.
    TooLong,
}

/// Why there is no client any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// He said nothing for too long.
    Silent,
    /// He closed the connection, or it broke, or he takes no replies any more.
    Gone,
}

impl Conversation<Timed, Timed> {
    /// A conversation in which no single read or write waits longer than `patience`.
    pub fn over(input: OwnedFd, output: OwnedFd, patience: Duration) -> Self {
        Self::new(Timed::new(input, patience), Timed::writing(output, patience), 65_536)
    }
}

impl<R: Read, W: Write> Conversation<R, W> {
    /// Reads up to `ahead` bytes at once: 1 leaves everything behind a line to whoever gets the
    /// descriptor next.
    pub fn new(input: R, output: W, ahead: usize) -> Self {
        Self {
            input: ReadAhead::new(input, ahead),
            output: BufWriter::with_capacity(GATHERED, Once { writer: output, has_failed: false }),
        }
    }

    /// Whether the client has said more than was asked for so far.
    pub fn has_unread(&self) -> bool {
        !self.input.buffer().is_empty()
    }

    /// The streams below: what is read from, and what is written to.
    pub fn streams(&self) -> (&R, &W) {
        (self.input.get_ref(), &self.output.get_ref().writer)
    }

    /// The streams below, without what was read ahead and without what was not flushed.
    pub fn into_parts(self) -> (R, W) {
        (self.input.into_inner(), self.output.into_parts().0.writer)
    }

    /// Adds bytes to what the client is told.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Lost> {
        self.output.write_all(bytes).map_err(|_| Lost::Gone)
    }

    /// Sends all that was added.
    pub fn flush(&mut self) -> Result<(), Lost> {
        self.output.flush().map_err(|_| Lost::Gone)
    }

    /// Reads a line of at most `limit` bytes. A line that the client does not end is none.
    pub fn line(&mut self, limit: usize) -> Result<Line, Lost> {
        let mut line = Vec::new();
        let mut too_long = false;
        loop {
            let block = self.block()?;
            let end = block.iter().position(|byte| *byte == b'\n');
            let part = block.get(..end.unwrap_or(block.len())).unwrap_or_default();
            too_long = too_long || line.len() + part.len() > limit;
            if !too_long {
                line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.consume(used);
            if end.is_some() {
                return Ok(if too_long { Line::TooLong } else { Line::Complete(line) });
            }
        }
    }

    /// What the client has sent: at least a byte, and waited for if necessary.
    pub fn block(&mut self) -> Result<&[u8], Lost> {
        if self.input.buffer().is_empty() {
            self.flush()?;
        }
        match self.input.fill() {
            Ok([]) => Err(Lost::Gone),
            Ok(block) => Ok(block),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(Lost::Silent),
            Err(_) => Err(Lost::Gone),
        }
    }

    /// Takes the first `length` bytes of a [`Self::block`] as read.
    pub fn consume(&mut self, length: usize) {
        self.input.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client who sends `parts` one by one, and notes what he had been told before each.
    struct Client<'a> {
        parts: std::collections::VecDeque<&'a [u8]>,
    }

    impl Read for Client<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let part = self.parts.pop_front().unwrap_or_default();
            buffer[..part.len()].copy_from_slice(part);
            Ok(part.len())
        }
    }

    fn with<'a>(parts: &[&'a [u8]]) -> Conversation<Client<'a>, Vec<u8>> {
        Conversation::new(Client { parts: parts.iter().copied().collect() }, Vec::new(), 64)
    }

    fn complete(line: &[u8]) -> Result<Line, Lost> {
        Ok(Line::Complete(line.to_vec()))
    }

    #[test]
    fn lines_may_come_together_or_in_pieces() {
        let mut conversation = with(&[b"one\r\ntwo\nth", b"re", b"e\nrest"]);
        assert_eq!(conversation.line(9), complete(b"one\r"));
        assert_eq!(conversation.line(9), complete(b"two"));
        assert_eq!(conversation.line(9), complete(b"three"));
        assert_eq!(conversation.line(9), Err(Lost::Gone));
    }

    #[test]
    fn a_line_that_is_too_long_is_dropped_whole() {
        let mut conversation = with(&[b"123456789\n1234567890", b"1234567890\nshort\n"]);
        assert_eq!(conversation.line(9), complete(b"123456789"));
        assert_eq!(conversation.line(9), Ok(Line::TooLong));
        assert_eq!(conversation.line(9), complete(b"short"));
    }

    #[test]
    fn replies_wait_until_nothing_more_is_there_to_be_read() {
        let mut conversation = with(&[b"a\nb\n", b"c\n"]);
        assert_eq!(conversation.line(9), complete(b"a"));
        conversation.send(b"1").unwrap();
        assert_eq!(conversation.line(9), complete(b"b"));
        assert!(conversation.streams().1.is_empty());
        conversation.send(b"2").unwrap();
        assert_eq!(conversation.line(9), complete(b"c"));
        assert_eq!(conversation.streams().1, b"12");
    }

    #[test]
    fn a_silent_client_is_told_from_one_who_has_gone() {
        let (input, output) = (qmail_sys::pipe().unwrap(), qmail_sys::pipe().unwrap());
        let mut conversation =
            Conversation::over(input.read, output.write, Duration::from_millis(1));
        assert_eq!(conversation.line(9), Err(Lost::Silent));
        drop(input.write);
        assert_eq!(conversation.line(9), Err(Lost::Gone));
    }

    #[test]
    fn a_client_who_reads_nothing_is_lost_and_not_waited_for() {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let input = qmail_sys::pipe().unwrap();
        let mut conversation =
            Conversation::over(input.read, ours.into(), Duration::from_millis(20));
        let told = (0..1000).try_for_each(|_| conversation.send(&[b'x'; 10_000]));
        assert_eq!(told, Err(Lost::Gone));
        drop(theirs);
    }

    #[test]
    fn a_client_who_does_not_listen_is_waited_for_once() {
        struct Deaf<'a>(&'a std::cell::Cell<u32>);
        impl Write for Deaf<'_> {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                self.0.set(self.0.get() + 1);
                Err(io::ErrorKind::TimedOut.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let waits = std::cell::Cell::new(0);
        let mut conversation = Conversation::new(io::empty(), Deaf(&waits), 64);
        conversation.send(b"1").unwrap();
        assert_eq!(conversation.flush(), Err(Lost::Gone));
        drop(conversation);
        assert_eq!(waits.get(), 1);
    }
}
