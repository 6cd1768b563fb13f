//! A connection's bytes: in plain text at first, and then perhaps inside TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use qmail_sys::{Interest, poll};
use qmail_tls::{Session, Stream};

use crate::security::{TlsFailure, TlsPlan};

/// What a dialogue goes through.
pub(crate) trait Channel: Read + Write {
    /// From here on, the next reply or block has its whole time.
    fn renew(&mut self);

    /// Goes on inside TLS.
    fn secure(&mut self) -> Result<Session, TlsFailure>;
}

/// A socket on which nothing waits beyond its limit, however little comes at a time.
#[derive(Debug)]
pub(crate) struct Socket {
    /// It does not block.
    stream: TcpStream,
    /// For each reply and each block.
    limit: Duration,
    /// When the current one must be through.
    until: Instant,
    /// When all must be over.
    end: Instant,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, limit: Duration, end: Instant) -> Self {
        let mut socket = Self { stream, limit, until: end, end };
        socket.renew();
        socket
    }

    fn renew(&mut self) {
        let next = Instant::now().checked_add(self.limit);
        self.until = next.map_or(self.end, |next| next.min(self.end));
    }

    /// Waits until `interest` is ready.
    fn wait(&self, interest: impl Fn(&TcpStream) -> Interest<'_>) -> io::Result<()> {
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            // Also for those who always have one more byte ready.
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            if poll(&mut [interest(&self.stream)], Some(left))? {
                return Ok(());
            }
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.wait(|stream| Interest::reading(stream.as_fd()))?;
            match self.stream.read(buffer) {
                Err(error) if is_early(&error) => {}
                result => return result,
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            // Mostly there is room, and then there is no need to ask.
            match self.stream.write(bytes) {
                Err(error) if is_early(&error) => {}
                result => return result,
            }
            self.wait(|stream| Interest::writing(stream.as_fd()))?;
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn is_early(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// A connection to a server, and how it becomes a safe one.
#[derive(Debug)]
pub(crate) struct Wire<'p> {
    state: State,
    plan: &'p TlsPlan<'p>,
}

#[derive(Debug)]
enum State {
    Plain(Socket),
    Tls(Box<Stream<Socket>>),
    /// A handshake failed: nobody knows what the other side takes the next byte for.
    Broken,
}

impl<'p> Wire<'p> {
    pub(crate) fn new(socket: Socket, plan: &'p TlsPlan<'p>) -> Self {
        Self { state: State::Plain(socket), plan }
    }
}

impl Channel for Wire<'_> {
    fn renew(&mut self) {
        match &mut self.state {
            State::Plain(socket) => socket.renew(),
            State::Tls(stream) => stream.inner_mut().renew(),
            State::Broken => {}
        }
    }

    fn secure(&mut self) -> Result<Session, TlsFailure> {
        match std::mem::replace(&mut self.state, State::Broken) {
            State::Plain(mut socket) => {
                socket.renew();
                let stream = self.plan.connect(socket)?;
                let session = stream.session();
                self.state = State::Tls(Box::new(stream));
                Ok(session)
            }
            State::Tls(_) | State::Broken => Err(TlsFailure::Spoke),
        }
    }
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.state {
            State::Plain(socket) => socket.read(buffer),
            State::Tls(stream) => stream.read(buffer),
            State::Broken => Ok(0),
        }
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.state {
            State::Plain(socket) => socket.write(bytes),
            State::Tls(stream) => stream.write(bytes),
            State::Broken => Err(ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.state {
            State::Plain(_) | State::Broken => Ok(()),
            State::Tls(stream) => stream.flush(),
        }
    }
}

/// Whoever sees the end should know that it is one.
impl Drop for Wire<'_> {
    fn drop(&mut self) {
        if let State::Tls(stream) = &mut self.state {
            let _: io::Result<()> = stream.close();
        }
    }
}
