//! A server that takes all mail and counts it.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::socket::{Shutdown, shutdown};
use qmail_conformance::Tree;

use crate::site::{LIMIT, SINK};

/// No command that follows a message at once is longer.
const TAIL: usize = 64;

/// The server, until it is dropped.
#[derive(Debug)]
pub(crate) struct Sink {
    socket: Arc<TcpListener>,
    seen: Arc<Seen>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Seen {
    taken: Mutex<Taken>,
    changed: Condvar,
}

/// What has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    /// Recipients, of all messages.
    pub recipients: usize,
    /// How long the last message took, from its first byte to the reply.
    pub last: Duration,
}

impl Sink {
    /// In the tree's network.
    pub(crate) fn start(tree: &Tree) -> io::Result<Self> {
        let socket = Arc::new(tree.within_network(|| TcpListener::bind(SINK))?);
        let seen = Arc::new(Seen::default());
        let (listener, shared) = (Arc::clone(&socket), Arc::clone(&seen));
        let thread = Builder::new().spawn(move || {
            // Until the socket is shut down.
            while let Ok((stream, _)) = listener.accept() {
                let shared = Arc::clone(&shared);
                let serve = move || drop(Dialogue::new(stream).and_then(|mut d| d.serve(&shared)));
                let _ = Builder::new().stack_size(128 << 10).spawn(serve);
            }
        })?;
        Ok(Self { socket, seen, thread: Some(thread) })
    }

    /// Waits until mail for so many recipients was taken.
    pub(crate) fn wait_for(&self, recipients: usize) -> io::Result<Taken> {
        let mut taken = self.seen.lock();
        let mut last = Instant::now();
        while taken.recipients < recipients {
            let before = taken.recipients;
            let waited = self.seen.changed.wait_timeout(taken, Duration::from_secs(1));
            taken = waited.unwrap_or_else(PoisonError::into_inner).0;
            if taken.recipients != before {
                last = Instant::now();
            } else if last.elapsed() > LIMIT {
                return Err(io::Error::other(format!("{before} of {recipients} at the sink")));
            }
        }
        Ok(taken.clone())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        use std::os::fd::AsRawFd;
        let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Seen {
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection.
struct Dialogue {
    stream: BufReader<TcpStream>,
    recipients: usize,
}

impl Dialogue {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::with_capacity(64 << 10, stream), recipients: 0 })
    }

    fn serve(&mut self, seen: &Seen) -> io::Result<()> {
        self.say(b"220 sink.example ESMTP\r\n")?;
        loop {
            let mut line = Vec::new();
            if self.stream.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_slice() {
                b"EHLO" => {
                    self.say(
                        b"250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE\r\n",
                    )?;
                }
                b"RCPT" => {
                    self.recipients += 1;
                    self.say(b"250 ok\r\n")?;
                }
                b"DATA" => self.take(seen)?,
                b"QUIT" => return self.say(b"221 sink.example\r\n"),
                _ => self.say(b"250 ok\r\n")?,
            }
        }
    }

    fn take(&mut self, seen: &Seen) -> io::Result<()> {
        self.say(b"354 go ahead\r\n")?;
        self.stream.fill_buf()?;
        let begin = Instant::now();
        self.skip_data()?;
        let mut taken = seen.lock();
        taken.recipients += std::mem::take(&mut self.recipients);
        taken.last = begin.elapsed();
        drop(taken);
        // Who waits sees it before the client does, who may have more.
        seen.changed.notify_all();
        self.say(b"250 taken\r\n")
    }

    /// Looks at no more of it than the ends of blocks, for the client is what is measured. Behind
    /// the last dot there may be a command already, and a short one.
    fn skip_data(&mut self) -> io::Result<()> {
        let mut end = Vec::from(*b"\r\n");
        loop {
            let read = self.stream.fill_buf()?;
            let length = read.len();
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if length >= TAIL {
                end.clear();
            }
            end.extend_from_slice(read.get(length.saturating_sub(TAIL)..).unwrap_or_default());
            if let Some(dot) = end.windows(5).position(|bytes| bytes == b"\r\n.\r\n") {
                self.stream.consume(length.saturating_sub(end.len() - dot - 5));
                return Ok(());
            }
            end.drain(..end.len().saturating_sub(4));
            self.stream.consume(length);
        }
    }

    fn say(&mut self, text: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(text)
    }
}
