//! What the client says. During the handshake nothing else would tell us that the session has gone.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use qmail_sys::{Interest, poll};

/// What the client says, for as long as there is a session that wants to hear it.
#[derive(Debug)]
pub(crate) struct Attentive {
    client: File,
    session: Option<UnixStream>,
    patience: Duration,
}

impl Attentive {
    /// No single read waits longer than `patience`, nor beyond the end of `session`.
    pub(crate) fn new(client: OwnedFd, session: UnixStream, patience: Duration) -> Self {
        Self { client: client.into(), session: Some(session), patience }
    }

    /// From now on somebody else waits, for both.
    pub(crate) fn forget_session(&mut self) {
        self.session = None;
    }

    fn wait(&self, session: &UnixStream) -> io::Result<()> {
        let started = Instant::now();
        loop {
            let left = self.patience.saturating_sub(started.elapsed());
            let mut interests = [self.client.as_fd(), session.as_fd()].map(Interest::reading);
            let ready = poll(&mut interests, Some(left))?;
            let [_, session] = &interests;
            // It has ended, or says something out of turn.
            if ready && session.is_ready() {
                return Err(ErrorKind::BrokenPipe.into());
            }
            if ready {
                return Ok(());
            }
            // A signal ends a poll early, too.
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
        }
    }
}

impl AsFd for Attentive {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.client.as_fd()
    }
}

impl Read for Attentive {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(session) = &self.session {
            self.wait(session)?;
        }
        self.client.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_end_of_the_session_ends_the_wait_for_the_client() {
        let (client, mut to) = UnixStream::pair().unwrap();
        let (session, other) = UnixStream::pair().unwrap();
        let mut input = Attentive::new(client.into(), session, Duration::from_secs(600));
        let mut said = [0; 9];
        to.write_all(b"hello").unwrap();
        assert_eq!(input.read(&mut said).unwrap(), 5);
        drop(other);
        assert_eq!(input.read(&mut said).unwrap_err().kind(), ErrorKind::BrokenPipe);
        to.write_all(b"again").unwrap();
        input.forget_session();
        assert_eq!(input.read(&mut said).unwrap(), 5);
    }

    #[test]
    fn silence_is_a_time_out() {
        let (client, _to) = UnixStream::pair().unwrap();
        let (session, _other) = UnixStream::pair().unwrap();
        let mut input = Attentive::new(client.into(), session, Duration::from_millis(1));
        assert_eq!(input.read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::TimedOut);
    }
}
