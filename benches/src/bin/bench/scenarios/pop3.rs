//! Reading a large Maildir.

use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::thread::{Builder, scope};
use std::time::Instant;

use qmail_conformance::files;

use super::{Figure, ORDINARY, Scenario, number};
use crate::arguments::Size;
use crate::client;
use crate::site::LIMIT;
use crate::systems::System;

/// From the start of qmail-pop3d to the end of the last message.
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
            files::write(&site.maildir().join(format!("new/{number}.message")), &body);
        }
        let reader = site.tree().user("joe").identity();
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_read_timeout(Some(LIMIT))?;
        let program = site.tree().program("qmail-pop3d").arg(site.maildir()).run_as(reader);
        let program = program.stdin_from(OwnedFd::from(theirs.try_clone()?));
        let program = program.stdout_to(OwnedFd::from(theirs));
        let begin = Instant::now();
        let done = scope(|scope| {
            Builder::new().spawn_scoped(scope, move || program.run())?;
            // Closed at the end, which ends the server.
            read_all(ours, messages)
        });
        let took = begin.elapsed();
        done?;
        let value = number(messages) / took.as_secs_f64();
        Ok(vec![Figure::higher(format!("POP3, {messages} messages read"), "/s", value)])
    }
}

fn read_all(mut to: UnixStream, messages: usize) -> io::Result<()> {
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
