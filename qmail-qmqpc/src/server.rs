//! Handing the message over to one server.

use std::io::{self, BufReader, BufWriter, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::failure::Failure;
use crate::reply::Reply;

const PORT: u16 = 628;
/// How long a server may take to answer the door.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// How long each read and write may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It has said what becomes of the message.
    Answered(Reply),
    /// It was not reached; the next one may be.
    Unreachable(Failure),
}

/// Message and envelope in the form of QMQP: a netstring of netstrings.
#[derive(Debug)]
pub(crate) struct Parcel<'a> {
    head: Vec<u8>,
    message: &'a [u8],
    tail: Vec<u8>,
}

impl<'a> Parcel<'a> {
    /// Wraps a message and an envelope that is in netstrings already.
    pub(crate) fn new(message: &'a [u8], envelope: &[u8]) -> Self {
        let inner = format!("{}:", message.len());
        let length = inner.len() + message.len() + 1 + envelope.len();
        Self {
            head: format!("{length}:{inner}").into_bytes(),
            message,
            tail: [b",", envelope, b","].concat(),
        }
    }

    fn send(&self, output: impl Write) -> io::Result<()> {
        let mut output = BufWriter::with_capacity(65_536, output);
        output.write_all(&self.head)?;
        output.write_all(self.message)?;
        output.write_all(&self.tail)?;
        output.flush()
    }
}

/// Sends the parcel to the server at `address`, and waits for the reply.
///
/// # Errors
/// Once the server has been reached, and if this host cannot reach any: then no other server may be
/// tried. The one that was lost may have queued the message.
pub(crate) fn hand_over(address: Ipv4Addr, parcel: &Parcel<'_>) -> Result<Attempt, Failure> {
    hand_over_at(SocketAddr::from((address, PORT)), parcel)
}

fn hand_over_at(server: SocketAddr, parcel: &Parcel<'_>) -> Result<Attempt, Failure> {
    let stream = match TcpStream::connect_timeout(&server, CONNECT_PATIENCE) {
        Ok(stream) => stream,
        Err(error) if qmail_sys::lacks_resources(&error) => return Err(Failure::Socket),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            return Ok(Attempt::Unreachable(Failure::TimedOut));
        }
        Err(_) => return Ok(Attempt::Unreachable(Failure::Rejected)),
    };
    converse(&stream, parcel).map(Attempt::Answered)
}

fn converse(stream: &TcpStream, parcel: &Parcel<'_>) -> Result<Reply, Failure> {
    let lost = |_| Failure::Connection;
    stream.set_read_timeout(Some(PATIENCE)).map_err(lost)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(lost)?;
    // All is sent in large pieces: there is nothing to be gained by waiting for more.
    stream.set_nodelay(true).map_err(lost)?;
    parcel.send(stream).map_err(lost)?;
    Reply::read(BufReader::new(stream))
}

/// The address that a line of `qmqpservers` begins with: four numbers with dots between them. What
/// follows is for human readers.
pub(crate) fn parse_address(line: &[u8]) -> Option<Ipv4Addr> {
    let mut rest = line;
    let mut octets = [0; 4];
    for (number, octet) in octets.iter_mut().enumerate() {
        if number > 0 {
            rest = rest.strip_prefix(b".")?;
        }
        let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(end);
        *octet = std::str::from_utf8(digits).ok()?.parse().ok()?;
        rest = after;
    }
    Some(Ipv4Addr::from(octets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::TcpListener;

    /// What came of a server that says `reply`, and what it was sent.
    fn attempt(reply: &[u8]) -> (Result<Attempt, Failure>, Vec<u8>) {
        let parcel = Parcel::new(b"message\n", b"3:s@x,3:a@b,");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let length = parcel.head.len() + parcel.message.len() + parcel.tail.len();
        std::thread::scope(|scope| {
            let server = scope.spawn(|| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut sent = vec![0; length];
                stream.read_exact(&mut sent).unwrap();
                stream.write_all(reply).unwrap();
                sent
            });
            (hand_over_at(address, &parcel), server.join().unwrap())
        })
    }

    #[test]
    fn a_parcel_is_a_netstring_of_netstrings() {
        let (result, sent) = attempt(b"9:Kok 1 qp2,");
        assert_eq!(sent, b"23:8:message\n,3:s@x,3:a@b,,");
        assert_eq!(result, Ok(Attempt::Answered(Reply::Queued)));
    }

    #[test]
    fn who_is_lost_after_he_was_reached_is_not_replaced_by_another() {
        assert_eq!(attempt(b"").0, Err(Failure::Connection));
        assert_eq!(attempt(b"K").0, Err(Failure::Connection));
    }

    #[test]
    fn who_is_not_there_leaves_it_to_the_next() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let attempt = hand_over_at(address, &Parcel::new(b"", b""));
        assert_eq!(attempt, Ok(Attempt::Unreachable(Failure::Rejected)));
    }

    #[test]
    fn a_line_begins_with_an_address_or_does_not_count() {
        let parse = |line: &str| parse_address(line.as_bytes());
        assert_eq!(parse("192.0.2.1 backup"), Some(Ipv4Addr::new(192, 0, 2, 1)));
        assert_eq!(parse("010.0.0.255"), Some(Ipv4Addr::new(10, 0, 0, 255)));
        for bad in ["", "mail.example", "1.2.3", "1.2.3.", "256.1.1.1", "1..2.3", " 1.2.3.4"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
