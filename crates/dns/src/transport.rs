//! One question to one server: UDP, and TCP for what does not fit.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use crate::Cause;
use crate::question::Question;
use crate::reading::{Reading, read};

const LARGEST_DATAGRAM: usize = 65535;

/// Asks `server` once, and once more over TCP if the answer does not fit into a datagram.
pub(crate) fn ask(server: SocketAddr, question: &Question, timeout: Duration) -> Reading {
    let Some(bytes) = question.encode() else { return Reading::Useless(Cause::Malformed) };
    let reading = match over_udp(server, question, &bytes, timeout) {
        Ok(Reading::Truncated) => over_tcp(server, question, &bytes, timeout),
        reading => reading,
    };
    reading.unwrap_or_else(|error| Reading::Useless(cause(&error)))
}

fn over_udp(
    server: SocketAddr,
    question: &Question,
    bytes: &[u8],
    timeout: Duration,
) -> io::Result<Reading> {
    let deadline = Instant::now() + timeout;
    // A fresh socket for each question: port 0 lets the kernel draw a random port, and connecting
    // keeps everybody else's datagrams out.
    let socket = UdpSocket::bind(match server {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    })?;
    socket.connect(server)?;
    socket.send(bytes)?;
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    loop {
        socket.set_read_timeout(Some(remaining(deadline)?))?;
        let length = match socket.recv(&mut buffer) {
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        match read(question, buffer.get(..length).unwrap_or_default()) {
            // Not an answer to us: the real one may still come.
            Reading::NotOurs => {}
            reading => return Ok(reading),
        }
    }
}

fn over_tcp(
    server: SocketAddr,
    question: &Question,
    bytes: &[u8],
    timeout: Duration,
) -> io::Result<Reading> {
    let deadline = Instant::now() + timeout;
    let mut stream = TcpStream::connect_timeout(&server, timeout)?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(remaining(deadline)?))?;
    let length = u16::try_from(bytes.len()).map_err(|_| ErrorKind::InvalidInput)?;
    stream.write_all(&[&length.to_be_bytes(), bytes].concat())?;
    let mut length = [0; 2];
    read_exactly(&mut stream, &mut length, deadline)?;
    let mut answer = vec![0; u16::from_be_bytes(length).into()];
    read_exactly(&mut stream, &mut answer, deadline)?;
    Ok(match read(question, &answer) {
        Reading::NotOurs | Reading::Truncated => Reading::Useless(Cause::Malformed),
        reading => reading,
    })
}

/// Fills `buffer` before the deadline, however slowly the bytes trickle in.
fn read_exactly(stream: &mut TcpStream, buffer: &mut [u8], deadline: Instant) -> io::Result<()> {
    let mut left = buffer;
    while !left.is_empty() {
        stream.set_read_timeout(Some(remaining(deadline)?))?;
        match stream.read(left) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => left = left.get_mut(length..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What is left until the deadline, never zero: that would mean for ever.
fn remaining(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn cause(error: &io::Error) -> Cause {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Cause::TimedOut,
        _ => Cause::Unreachable,
    }
}
