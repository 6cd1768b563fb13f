//! Both directions at once, in one process without threads.
//!
//! The client's side waits, each time for so long at most. The session's side never does: a session
//! that is busy sending may leave what the client says unread, and its answers must still flow.
//!
//! How long a client may be silent is for the session to say, and to tell him: it may be busy with
//! what he said last.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use qmail_sys::{Interest, poll};
use qmail_tls::Stream;

use crate::{Client, Failure};

/// What is carried at once: two records of TLS.
const BLOCK: usize = 32_768;

/// Carries until the session ends, or the client is lost.
pub(crate) fn run(stream: Stream<Client>, plain: UnixStream) -> Result<(), Failure> {
    plain.set_nonblocking(true).map_err(Failure::Session)?;
    let mut pump = Pump { stream, plain, said: Vec::new(), buffer: vec![0; BLOCK], gone: false };
    let ended = pump.carry();
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
    /// Whether nothing of what the client says matters any more: he has come to an end, or the
    /// session has.
    gone: bool,
}

/// What can be done without waiting.
struct Turn {
    client_speaks: bool,
    session_speaks: bool,
    session_listens: bool,
}

impl Pump {
    fn carry(&mut self) -> Result<(), Failure> {
        loop {
            let turn = self.wait()?;
            if turn.session_listens {
                self.pass_on();
            }
            if turn.session_speaks && !self.answer()? {
                return Ok(());
            }
            if turn.client_speaks {
                self.listen()?;
                // As a rule it is waiting for that.
                self.pass_on();
            }
        }
    }

    fn wait(&mut self) -> Result<Turn, Failure> {
        let listening = self.said.is_empty() && !self.gone;
        let waiting = listening && self.stream.buffered() > 0;
        let session = self.plain.as_fd();
        let mut interests = vec![Interest::reading(session)];
        if listening {
            interests.push(Interest::reading(self.stream.inner().as_fd()));
        } else if !self.said.is_empty() {
            interests.push(Interest::writing(session));
        }
        let limit = waiting.then_some(Duration::ZERO);
        let ready = poll(&mut interests, limit).map_err(Failure::Session)?;
        let is_ready = |at: usize| ready && interests.get(at).is_some_and(Interest::is_ready);
        Ok(Turn {
            client_speaks: listening && (waiting || is_ready(1)),
            session_speaks: is_ready(0),
            session_listens: !listening && is_ready(1),
        })
    }

    /// Reads from the client; the end of what he says is passed on too. Whether he announced it is
    /// for the session to judge, which knows what is complete, and he is still told what it answers.
    fn listen(&mut self) -> Result<(), Failure> {
        match self.stream.read_once(&mut self.buffer) {
            Ok(None) => {}
            Ok(Some(0)) => self.end_listening(),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => self.end_listening(),
            Ok(Some(length)) => {
                self.said.extend_from_slice(self.buffer.get(..length).unwrap_or_default());
            }
            Err(error) => return Err(Failure::Client(error)),
        }
        Ok(())
    }

    fn end_listening(&mut self) {
        self.gone = true;
        // The session may have gone first.
        let _: io::Result<()> = self.plain.shutdown(Shutdown::Write);
    }

    /// Writes to the session as much as it takes now.
    fn pass_on(&mut self) {
        if self.said.is_empty() {
            return;
        }
        match self.plain.write(&self.said) {
            Ok(length) => drop(self.said.drain(..length)),
            Err(error) if is_passing(&error) => {}
            // It has ended, but its last words may still be on their way.
            Err(_) => {
                self.said.clear();
                self.gone = true;
            }
        }
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
            Err(error) => Err(Failure::Session(error)),
        }
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
