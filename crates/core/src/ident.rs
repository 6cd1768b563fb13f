//! Asking the other host who connected to us: RFC 1413. The answer proves nothing, but may help
//! its postmaster.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::timed::Timed;

/// Where that host listens.
pub const PORT: u16 = 113;

/// An answer that is longer is none.
const LONGEST_ANSWER: usize = 4096;

/// More of the user's name is of no use.
const LONGEST_NAME: usize = 998;

/// The user behind a connection. Each step takes `timeout` at most: to connect, to ask, and to
/// hear the answer out.
pub fn ask(
    local: SocketAddr,
    remote: SocketAddr,
    port: u16,
    timeout: Duration,
) -> io::Result<Vec<u8>> {
    let server = SocketAddr::new(remote.ip(), port);
    // From the same address: the host looks for a connection between the two.
    let stream = qmail_sys::connect(server, Some(local.ip()), timeout)?;
    let mut stream = Timed::new(stream.into(), timeout);
    stream.write_all(format!("{} , {}\r\n", remote.port(), local.port()).as_bytes())?;
    Ok(user(&line(&mut stream, timeout)?))
}

fn line(stream: &mut impl Read, timeout: Duration) -> io::Result<Vec<u8>> {
    let started = Instant::now();
    let mut line = Vec::new();
    let mut buffer = [0; 512];
    loop {
        let count = match stream.read(&mut buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        line.extend(buffer.iter().take(count));
        if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
            line.truncate(end);
            return Ok(line);
        }
        if line.len() > LONGEST_ANSWER {
            return Err(ErrorKind::InvalidData.into());
        }
        if started.elapsed() > timeout {
            return Err(ErrorKind::TimedOut.into());
        }
    }
}

/// What follows the third colon. Quirk: a line with fewer colons names a user without a name.
fn user(line: &[u8]) -> Vec<u8> {
    let name = line.splitn(4, |byte| *byte == b':').nth(3).unwrap_or_default();
    let counts = |byte: &&u8| !matches!(byte, b' ' | b'\t' | b'\r');
    // No variable can hold a NUL.
    let name = name.iter().filter(counts).take_while(|byte| **byte != 0);
    name.take(LONGEST_NAME).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    const LIMIT: Duration = Duration::from_secs(30);

    #[test]
    fn the_user_is_what_follows_the_third_colon() {
        assert_eq!(user(b"6193, 23 : USERID : UNIX : joe\r"), b"joe");
        assert_eq!(user(b"1,2:USERID:OTHER,US-ASCII:a:b c"), b"a:bc");
        assert_eq!(user(b"1, 2 : ERROR : NO-USER"), b"");
        assert_eq!(user(b"1:2:3:jo\0e"), b"jo");
        assert_eq!(user(&[b"1:2:3:".as_slice(), &[b'x'; 2000]].concat()).len(), 998);
    }

    #[test]
    fn an_answer_needs_an_end_and_a_length() {
        assert_eq!(line(&mut &b"one\r\ntwo"[..], LIMIT).unwrap(), b"one\r");
        assert!(line(&mut &b"one"[..], LIMIT).is_err());
        assert!(line(&mut std::io::repeat(b'x'), LIMIT).is_err());
    }

    #[test]
    fn the_question_has_both_ports() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let (local, remote) = ("127.0.0.1:25".parse(), "127.0.0.1:45678".parse());
        std::thread::scope(|scope| {
            let host = scope.spawn(|| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut question = [0; 12];
                stream.read_exact(&mut question).unwrap();
                stream.write_all(b"45678, 25 : USERID : UNIX : joe\r\n").unwrap();
                question
            });
            assert_eq!(ask(local.unwrap(), remote.unwrap(), server.port(), LIMIT).unwrap(), b"joe");
            assert_eq!(&host.join().unwrap(), b"45678 , 25\r\n");
        });
    }

    #[test]
    fn a_host_that_does_not_answer_is_no_host_for_ever() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let remote = listener.local_addr().unwrap();
        let short = Duration::from_millis(20);
        let error = ask("127.0.0.1:25".parse().unwrap(), remote, remote.port(), short).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
}
