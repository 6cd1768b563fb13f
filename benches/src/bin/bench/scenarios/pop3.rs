//! Reading a large Maildir.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime};

use qmail_conformance::files;

use super::{Figure, ORDINARY, Scenario, number};
use crate::arguments::Size;
use crate::client;
use crate::site::{LIMIT, SERVER, words};
use crate::systems::{Qmail, System};

/// From the connection to the end of the last message, and QUIT.
#[derive(Debug)]
pub(crate) struct Pop3;

impl Scenario for Pop3 {
    fn name(&self) -> &'static str {
        "pop3"
    }

    fn suits(&self, system: &dyn System) -> bool {
        system.qmail().is_some()
    }

    fn run(&self, system: &dyn System, size: &Size, counts: bool) -> io::Result<Vec<Figure>> {
        let site = system.site(counts)?;
        let messages = size.messages * 2;
        let mut body = client::body(ORDINARY);
        body.retain(|byte| *byte != b'\r');
        for number in 0..messages {
            let path = site.maildir().join(format!("new/{number}.message"));
            files::write(&path, &body);
            // netqmail leaves out what has come this very second.
            files::set_times(&path, SystemTime::now() - Duration::from_secs(1000));
        }
        let owner = site.tree().user("joe").identity();
        let mut server = words(["tcpserver", "-H", "-R", "-l", "test.example"]);
        server.extend(words(["-u", &owner.uid.to_string(), "-g", &owner.gid.to_string()]));
        server.extend(words(["127.0.0.1", "2525"]));
        server.extend([Qmail::program(&site, "qmail-pop3d"), site.maildir().into()]);
        site.serve(&server, &[])?;
        let begin = Instant::now();
        site.tree().within_network(|| read_all(TcpStream::connect(SERVER)?, messages))?;
        let took = begin.elapsed();
        let value = number(messages) / took.as_secs_f64();
        Ok(vec![Figure::higher(format!("POP3, {messages} messages read"), "/s", value)])
    }
}

fn read_all(mut to: TcpStream, messages: usize) -> io::Result<()> {
    to.set_nodelay(true)?;
    to.set_read_timeout(Some(LIMIT))?;
    let mut from = BufReader::with_capacity(64 << 10, to.try_clone()?);
    reply(&mut from, false)?;
    for number in 1..=messages {
        to.write_all(format!("RETR {number}\r\n").as_bytes())?;
        reply(&mut from, true)?;
    }
    to.write_all(b"QUIT\r\n")?;
    reply(&mut from, false)
}

fn reply(from: &mut impl BufRead, is_long: bool) -> io::Result<()> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line)?;
    if !line.starts_with(b"+OK") {
        return Err(io::Error::other(format!("POP3: {}", line.escape_ascii())));
    }
    while is_long && line != b".\r\n" {
        line.clear();
        if from.read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}
