//! Both directions at once, in one process without threads.
//!
//! The client's side waits, each time for so long at most. The session's side never does: a session
//! that is busy sending may leave what the client says unread, and its answers must still flow.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use qmail_core::duplex::Duplex;
use qmail_core::timed::Timed;
use qmail_sys::{Interest, poll};
use qmail_tls::Stream;

use crate::Failure;

/// What is carried at once: two records of TLS.
const BLOCK: usize = 32_768;

type Client = Duplex<Timed, Timed>;

/// Carries until the session ends, or the client is lost.
pub(crate) fn run(
    stream: Stream<Client>,
    plain: UnixStream,
    patience: Duration,
) -> Result<(), Failure> {
    plain.set_nonblocking(true).map_err(Failure::Plain)?;
    let mut pump = Pump { stream, plain, said: Vec::new(), buffer: vec![0; BLOCK], gone: false };
    let ended = pump.carry(patience);
    if ended.is_ok() {
        // The session has said its last word; that the client does not hear the end is no matter.
        let _: io::Result<()> = pump.stream.close();
    }
    ended
}

struct Pump {
    stream: Stream<Client>,
    plain: UnixStream,
    /// What the client said and the session has not read yet.
    said: Vec<u8>,
    buffer: Vec<u8>,
    /// Whether the client says nothing any more.
    gone: bool,
}

/// What can be done without waiting.
struct Turn {
    client_speaks: bool,
    session_speaks: bool,
    session_listens: bool,
}

impl Pump {
    fn carry(&mut self, patience: Duration) -> Result<(), Failure> {
        loop {
            let turn = self.wait(patience)?;
            if turn.session_listens {
                self.pass_on()?;
            }
            if turn.session_speaks && !self.answer()? {
                return Ok(());
            }
            if turn.client_speaks {
                self.listen()?;
            }
        }
    }

    fn wait(&mut self, patience: Duration) -> Result<Turn, Failure> {
        let listening = self.said.is_empty() && !self.gone;
        let waiting = self.stream.buffered() > 0 && listening;
        let session = self.plain.as_fd();
        let mut interests = vec![Interest::reading(session)];
        if listening {
            interests.push(Interest::reading(self.stream.inner().as_fd()));
        } else if !self.said.is_empty() {
            interests.push(Interest::writing(session));
        }
        let limit = if waiting { Duration::ZERO } else { patience };
        let ready = poll(&mut interests, Some(limit)).map_err(Failure::Plain)?;
        if !ready && !waiting {
            return Err(Failure::Client(ErrorKind::TimedOut.into()));
        }
        let is_ready = |at: usize| ready && interests.get(at).is_some_and(Interest::is_ready);
        Ok(Turn {
            client_speaks: listening && (waiting || is_ready(1)),
            session_speaks: is_ready(0),
            session_listens: !listening && is_ready(1),
        })
    }

    /// Reads from the client; the end of what he says is passed on too.
    fn listen(&mut self) -> Result<(), Failure> {
        match self.stream.read(&mut self.buffer) {
            Ok(0) => {
                self.gone = true;
                // It may have gone first.
                let _: io::Result<()> = self.plain.shutdown(Shutdown::Write);
            }
            Ok(length) => self.said.extend_from_slice(self.buffer.get(..length).unwrap_or(&[])),
            Err(error) => return Err(Failure::Client(error)),
        }
        Ok(())
    }

    /// Writes to the session as much as it takes now.
    fn pass_on(&mut self) -> Result<(), Failure> {
        match self.plain.write(&self.said) {
            Ok(length) => drop(self.said.drain(..length)),
            Err(error) if is_passing(&error) => {}
            Err(error) => return Err(Failure::Plain(error)),
        }
        Ok(())
    }

    /// Sends on what the session says; whether it will say more.
    fn answer(&mut self) -> Result<bool, Failure> {
        match self.plain.read(&mut self.buffer) {
            Ok(0) => Ok(false),
            Ok(length) => {
                let bytes = self.buffer.get(..length).unwrap_or_default();
                self.stream.write_all(bytes).map_err(Failure::Client)?;
                Ok(true)
            }
            Err(error) if is_passing(&error) => Ok(true),
            // A session that ends with input unread resets the socket.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(false),
            Err(error) => Err(Failure::Plain(error)),
        }
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
