//! The pipes to and from a spawner.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use qmail_wire::spawn::{Command, Mangled, Report, ReportParser, Width};

use crate::Ends;

/// A spawner. One command at a time waits for room in its pipe, so that we never do.
#[derive(Debug)]
pub(crate) struct Spawner {
    ends: Ends,
    width: Width,
    waiting: Vec<u8>,
    parser: ReportParser,
}

impl Spawner {
    /// A spawner that numbers deliveries like this. From now on writing to it does not block.
    pub(crate) fn new(ends: Ends, width: Width) -> io::Result<Self> {
        qmail_sys::set_nonblocking(&ends.to)?;
        Ok(Self { ends, width, waiting: Vec::new(), parser: ReportParser::new(width) })
    }

    /// Whether a further command can be sent.
    pub(crate) fn is_ready(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Sends a command, as far as there is room for it.
    ///
    /// # Errors
    /// If the spawner is gone.
    pub(crate) fn send(&mut self, command: &Command) -> io::Result<()> {
        self.waiting.extend(command.encode(self.width));
        self.flush()
    }

    /// Sends what there was no room for.
    ///
    /// # Errors
    /// If the spawner is gone.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while !self.waiting.is_empty() {
            match self.ends.to.write(&self.waiting) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => drop(self.waiting.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads once; the reports that are complete with it.
    ///
    /// # Errors
    /// If the spawner is gone.
    pub(crate) fn receive(&mut self) -> io::Result<Vec<Result<Report, Mangled>>> {
        let mut block = [0; 4096];
        let length = read_some(&mut self.ends.from, &mut block)?;
        Ok(self.parser.push(block.get(..length).unwrap_or_default()))
    }

    pub(crate) fn reports(&self) -> BorrowedFd<'_> {
        self.ends.from.as_fd()
    }

    pub(crate) fn commands(&self) -> BorrowedFd<'_> {
        self.ends.to.as_fd()
    }
}

/// One read; its end is an error, since nobody may hang up on us.
pub(crate) fn read_some(pipe: &mut File, block: &mut [u8]) -> io::Result<usize> {
    match pipe.read(block) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spawner_that_does_not_read_does_not_hold_us_up() {
        let (commands, reports) = (qmail_sys::pipe().unwrap(), qmail_sys::pipe().unwrap());
        let ends = Ends { to: File::from(commands.write), from: File::from(reports.read) };
        let mut spawner = Spawner::new(ends, Width::Two).unwrap();
        let command = Command {
            delivery: 300,
            message: b"1/2".to_vec(),
            sender: vec![b's'; 30_000],
            recipient: b"r@h".to_vec(),
        };
        let mut sent = 0;
        while spawner.is_ready() {
            spawner.send(&command).unwrap();
            sent += 1;
        }
        let mut commands = File::from(commands.read);
        let mut parser = qmail_wire::spawn::CommandParser::new(Width::Two);
        let mut arrived = Vec::new();
        while arrived.len() < sent {
            let mut block = [0; 4096];
            let length = commands.read(&mut block).unwrap();
            arrived.extend(parser.push(&block[..length]));
            spawner.flush().unwrap();
        }
        assert!(arrived.iter().all(|one| *one == Ok(command.clone())));
        drop(commands);
        assert!(spawner.send(&command).is_err());
        drop(reports.write);
        assert!(spawner.receive().is_err());
    }
}
