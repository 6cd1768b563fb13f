//! The connection: the client's descriptors, until TLS begins and he is behind another process.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use qmail_core::conversation::{Conversation, Lost};
use qmail_core::timed::Timed;
use qmail_core::tlsrelay::{Carried, Process};
use qmail_sys::{Interest, poll, wait_for_hangup};
use qmail_wire::smtp_server::Reply;

/// Where a client is heard, and where he is told something.
pub type Descriptors<'a> = (BorrowedFd<'a>, BorrowedFd<'a>);

/// A conversation over descriptors that can be replaced.
pub struct Connection {
    conversation: Conversation<Timed, Timed>,
    patience: Duration,
    /// What stands between. Dropped after the conversation, at whose end it ends.
    behind: Option<Behind>,
}

/// A client behind TLS.
struct Behind {
    _relay: Process,
    /// The client himself. Nothing is said there any more, but 0 and 1 stay what they are: where
    /// the client has our descriptor 2, too, the log sees it by that.
    _client: (Timed, Timed),
}

impl Connection {
    /// Over descriptors; no single read or write waits longer than `patience`.
    pub fn over(input: OwnedFd, output: OwnedFd, patience: Duration) -> Self {
        Self { conversation: Conversation::over(input, output, patience), patience, behind: None }
    }

    /// What is said over it.
    pub fn conversation(&mut self) -> &mut Conversation<Timed, Timed> {
        &mut self.conversation
    }

    /// What is below.
    pub fn descriptors(&self) -> Descriptors<'_> {
        let (input, output) = self.conversation.streams();
        (input.as_fd(), output.as_fd())
    }

    /// Continues in TLS, which `begin` begins. If that fails, the client is told why, in the clear:
    /// whoever sent no TLS can read it.
    ///
    /// # Errors
    /// If the client is gone, TLS fails, or the client has said more already: what was said before
    /// the change must not be taken for something said after it (CVE-2011-0411).
    pub fn protect<T>(
        &mut self,
        begin: impl FnOnce() -> Result<(Carried, T), Reply>,
    ) -> Result<T, Lost> {
        self.conversation.flush()?;
        if self.conversation.has_unread() {
            return Err(Lost::Gone);
        }
        let (carried, result) = match begin() {
            Ok(begun) => begun,
            Err(reply) => {
                self.conversation.send(&reply.to_wire())?;
                self.conversation.flush()?;
                return Err(Lost::Gone);
            }
        };
        let (input, output, relay) = carried.into_parts().map_err(|_| Lost::Gone)?;
        let inside = Conversation::over(input, output, self.patience);
        let client = std::mem::replace(&mut self.conversation, inside).into_parts();
        self.behind = Some(Behind { _relay: relay, _client: client });
        Ok(result)
    }

    /// Whether the client says something before `time` is over.
    pub fn speaks_within(&mut self, time: Duration) -> Result<bool, Lost> {
        if self.conversation.has_unread() {
            return Ok(true);
        }
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let ready = poll(&mut [Interest::reading(self.descriptors().0)], Some(left));
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
            match wait_for_hangup(self.descriptors().0, left) {
                Ok(true) => return Err(Lost::Gone),
                Ok(false) => {}
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmail_core::conversation::Line;
    use std::io::{Read, Write};

    #[test]
    fn what_is_said_before_the_change_is_not_heard_after_it() {
        let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let output = ours.try_clone().unwrap();
        let mut connection = Connection::over(ours.into(), output.into(), Duration::from_secs(60));
        theirs.write_all(b"STARTTLS\r\nEHLO x\r\n").unwrap();
        assert!(matches!(connection.conversation().line(99), Ok(Line::Complete(_))));
        let result = connection.protect::<()>(|| panic!("it would begin TLS"));
        assert_eq!(result, Err(Lost::Gone));
    }

    #[test]
    fn without_tls_the_client_is_told_in_the_clear_and_lost() {
        let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let output = ours.try_clone().unwrap();
        let mut connection = Connection::over(ours.into(), output.into(), Duration::from_secs(60));
        connection.conversation().send(b"220 go\r\n").unwrap();
        let result = connection.protect::<()>(|| Err(Reply::new(454, "no")));
        assert_eq!(result, Err(Lost::Gone));
        drop(connection);
        let mut told = String::new();
        theirs.read_to_string(&mut told).unwrap();
        assert_eq!(told, "220 go\r\n454 no\r\n");
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
