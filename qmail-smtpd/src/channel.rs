//! The connection: two directions that are exchanged together when TLS begins.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use qmail_core::conversation::{Conversation, Lost};
use qmail_sys::{Interest, poll, wait_for_hangup};

/// How much is read ahead.
const AHEAD: usize = 65_536;

/// Both directions of a connection, whatever is below them.
pub struct Duplex<'a> {
    input: Box<dyn Read + 'a>,
    output: Box<dyn Write + 'a>,
}

/// A conversation over a [`Duplex`] that can be replaced.
pub struct Connection<'a> {
    conversation: Conversation<Box<dyn Read + 'a>, Box<dyn Write + 'a>>,
    /// The descriptor below, to see whether the client is still there.
    watched: Option<OwnedFd>,
}

impl<'a> Duplex<'a> {
    /// Of two streams.
    pub fn of(input: impl Read + 'a, output: impl Write + 'a) -> Self {
        Self { input: Box::new(input), output: Box::new(output) }
    }

    /// Of one stream that goes both ways.
    pub fn shared(stream: impl Read + Write + 'a) -> Self {
        let stream = Rc::new(RefCell::new(stream));
        Self::of(Shared(Rc::clone(&stream)), Shared(stream))
    }
}

impl Read for Duplex<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.input.read(buffer)
    }
}

impl Write for Duplex<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// One half of a stream that goes both ways.
struct Shared<S>(Rc<RefCell<S>>);

impl<S: Read> Read for Shared<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}

impl<S: Write> Write for Shared<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

impl<'a> Connection<'a> {
    /// Over descriptors; no single read or write waits longer than `patience`.
    pub fn over(input: OwnedFd, output: OwnedFd, patience: Duration) -> Self {
        let watched = input.try_clone().ok();
        let (input, output) = Conversation::over(input, output, patience).into_parts();
        Self { watched, ..Self::of(Duplex::of(input, output)) }
    }

    /// Over any streams.
    pub fn of(duplex: Duplex<'a>) -> Self {
        let conversation = Conversation::new(duplex.input, duplex.output, AHEAD);
        Self { conversation, watched: None }
    }

    /// What is said over it.
    pub fn conversation(&mut self) -> &mut Conversation<Box<dyn Read + 'a>, Box<dyn Write + 'a>> {
        &mut self.conversation
    }

    /// Continues over what `wrap` makes of the streams.
    ///
    /// # Errors
    /// If the client is gone, `wrap` fails, or the client has said more already: what was said
    /// before the change must not be taken for something said after it (CVE-2011-0411).
    pub fn replace<T>(
        self,
        wrap: impl FnOnce(Duplex<'a>) -> io::Result<(Duplex<'a>, T)>,
    ) -> Result<(Self, T), Lost> {
        let Self { mut conversation, watched } = self;
        conversation.flush()?;
        if conversation.has_unread() {
            return Err(Lost::Gone);
        }
        let (input, output) = conversation.into_parts();
        let (duplex, result) = wrap(Duplex { input, output }).map_err(|_| Lost::Gone)?;
        Ok((Self { watched, ..Self::of(duplex) }, result))
    }

    /// Whether the client says something before `time` is over.
    pub fn speaks_within(&mut self, time: Duration) -> Result<bool, Lost> {
        if self.conversation.has_unread() {
            return Ok(true);
        }
        let Some(watched) = &self.watched else { return Ok(false) };
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let ready = poll(&mut [Interest::reading(watched.as_fd())], Some(left));
            if ready.map_err(|_| Lost::Gone)? {
                return self.conversation.block().map(|_| true);
            }
            // A signal ends a poll early, too.
            if left.is_zero() {
                return Ok(false);
            }
        }
    }

    /// Drops what the client has said up to now.
    pub fn ignore_waiting(&mut self) -> Result<(), Lost> {
        while self.speaks_within(Duration::ZERO)? {
            let length = self.conversation.block()?.len();
            self.conversation.consume(length);
        }
        Ok(())
    }

    /// Waits, but not for somebody who has gone.
    pub fn pause(&mut self, time: Duration) -> Result<(), Lost> {
        if time.is_zero() {
            return Ok(());
        }
        // What was said to earlier commands need not wait.
        self.conversation.flush()?;
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|t| !t.is_zero()) {
            let gone = match &self.watched {
                Some(watched) => wait_for_hangup(watched.as_fd(), left),
                None => Ok(false),
            };
            match gone {
                Ok(true) => return Err(Lost::Gone),
                Ok(false) if self.watched.is_some() => {}
                Ok(false) | Err(_) => return Ok(()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmail_core::conversation::Line;

    #[test]
    fn what_is_said_before_the_change_is_not_heard_after_it() {
        let mut told = Vec::new();
        let mut connection = Connection::of(Duplex::of(&b"STARTTLS\r\nEHLO x\r\n"[..], &mut told));
        assert!(matches!(connection.conversation().line(99), Ok(Line::Complete(_))));
        assert!(connection.replace(|plain| Ok((plain, ()))).is_err());
    }

    #[test]
    fn both_directions_change_together() {
        let mut told = Vec::new();
        let mut connection = Connection::of(Duplex::of(&b"STARTTLS\n"[..], &mut told));
        assert!(matches!(connection.conversation().line(99), Ok(Line::Complete(_))));
        connection.conversation().send(b"220 go\r\n").unwrap();
        let secret = std::io::Cursor::new(b"NOOP\n".to_vec());
        let (mut connection, ()) =
            connection.replace(|_| Ok((Duplex::shared(secret), ()))).unwrap();
        assert_eq!(connection.conversation().line(99), Ok(Line::Complete(b"NOOP".to_vec())));
        drop(connection);
        assert_eq!(told, b"220 go\r\n");
    }

    #[test]
    fn a_pause_ends_when_the_client_goes() {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let output = qmail_sys::pipe().unwrap();
        let patience = Duration::from_secs(600);
        let mut connection = Connection::over(ours.into(), output.write, patience);
        assert_eq!(connection.pause(Duration::from_millis(1)), Ok(()));
        drop(theirs);
        assert_eq!(connection.pause(patience), Err(Lost::Gone));
    }
}
