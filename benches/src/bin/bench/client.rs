//! Clients that send mail by SMTP, many at once.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, scope};

use qmail_conformance::Tree;

use crate::site::{LIMIT, SERVER};

/// What to send.
#[derive(Clone, Debug)]
pub(crate) struct Load<'a> {
    /// How many messages, each over a connection of its own.
    pub messages: usize,
    /// How many at once.
    pub sessions: usize,
    /// To whom each goes.
    pub recipients: &'a [String],
    /// The message as it is on the wire, without the last dot.
    pub body: &'a [u8],
}

/// Sends all of it.
pub(crate) fn send(tree: &Tree, load: &Load<'_>) -> io::Result<()> {
    at_once(tree, load.messages, load.sessions, || deliver(load.recipients, load.body))
}

/// Connects, waits for the greeting and leaves again.
pub(crate) fn greet(tree: &Tree, times: usize, sessions: usize) -> io::Result<()> {
    at_once(tree, times, sessions, || Session::start()?.quit())
}

/// Connects, and waits for what comes.
pub(crate) fn idle(tree: &Tree) -> io::Result<Session> {
    tree.within_network(|| {
        let mut session = Session::start()?;
        session.command(b"EHLO client.example\r\n", b'2')?;
        Ok(session)
    })
}

/// A message of so many bytes in lines of usual length.
pub(crate) fn body(bytes: usize) -> Vec<u8> {
    let header = b"From: <sender@elsewhere.example>\r\nSubject: measured\r\n\r\n";
    let line = [&[b'x'; 69][..], b"\r\n"].concat();
    let mut body = header.to_vec();
    while body.len() < bytes {
        body.extend_from_slice(&line);
    }
    body
}

fn at_once(
    tree: &Tree,
    times: usize,
    sessions: usize,
    work: impl Fn() -> io::Result<()> + Sync,
) -> io::Result<()> {
    let next = AtomicUsize::new(0);
    let client = || {
        while next.fetch_add(1, Ordering::Relaxed) < times {
            work()?;
        }
        Ok(())
    };
    tree.within_network(|| {
        scope(|scope| {
            let started: io::Result<Vec<_>> = (0..sessions)
                .map(|_| Builder::new().stack_size(128 << 10).spawn_scoped(scope, client))
                .collect();
            let lost = |_| Err(io::Error::other("a client died"));
            started?.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(lost))
        })
    })
}

fn deliver(recipients: &[String], body: &[u8]) -> io::Result<()> {
    let mut session = Session::start()?;
    session.command(b"EHLO client.example\r\n", b'2')?;
    session.command(b"MAIL FROM:<sender@elsewhere.example>\r\n", b'2')?;
    for recipient in recipients {
        session.command(format!("RCPT TO:<{recipient}>\r\n").as_bytes(), b'2')?;
    }
    session.command(b"DATA\r\n", b'3')?;
    session.stream.get_mut().write_all(body)?;
    session.command(b".\r\n", b'2')?;
    session.quit()
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Session {
    stream: BufReader<TcpStream>,
}

impl Session {
    fn start() -> io::Result<Self> {
        let stream = TcpStream::connect(SERVER)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        let mut session = Self { stream: BufReader::new(stream) };
        session.reply(b'2')?;
        Ok(session)
    }

    fn command(&mut self, line: &[u8], expected: u8) -> io::Result<()> {
        self.stream.get_mut().write_all(line)?;
        self.reply(expected)
    }

    fn reply(&mut self, expected: u8) -> io::Result<()> {
        loop {
            let mut line = Vec::new();
            self.stream.read_until(b'\n', &mut line)?;
            if line.first() != Some(&expected) {
                return Err(io::Error::other(format!("server: {}", line.escape_ascii())));
            }
            if line.get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }

    /// The one who is served closes.
    fn quit(&mut self) -> io::Result<()> {
        self.command(b"QUIT\r\n", b'2')
    }
}
