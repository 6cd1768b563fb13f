//! The pipes to and from a spawner.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use qmail_wire::spawn::{Command, Mangled, Report, ReportParser, Width};

use crate::Ends;

/// Commands wait for each other up to this length, in bytes; then the others have their turn.
const TOGETHER: usize = 32_768;

/// A spawner. Commands wait for room in its pipe, so that we never do.
#[derive(Debug)]
pub(crate) struct Spawner {
    ends: Ends,
    width: Width,
    waiting: Vec<u8>,
    /// There was no room for all of them.
    is_full: bool,
    parser: ReportParser,
}

impl Spawner {
    /// A spawner that numbers deliveries like this. From now on writing to it does not block.
    pub(crate) fn new(ends: Ends, width: Width) -> io::Result<Self> {
        qmail_sys::set_nonblocking(&ends.to)?;
        let parser = ReportParser::new(width);
        Ok(Self { ends, width, waiting: Vec::new(), is_full: false, parser })
    }

    /// Whether a further command can be given.
    pub(crate) fn is_ready(&self) -> bool {
        !self.is_full && self.waiting.len() < TOGETHER
    }

    /// Whether there are commands to send.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether the rest of the commands can be sent only when there is room.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Takes a command, to be sent with the next [`Self::flush`].
    pub(crate) fn give(&mut self, command: &Command) {
        self.waiting.extend(command.encode(self.width));
    }

    /// Sends the commands, as far as there is room for them.
    ///
    /// # Errors
    /// If the spawner is gone.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.is_full = false;
        while !self.waiting.is_empty() {
            match self.ends.to.write(&self.waiting) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => drop(self.waiting.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_full = true;
                    break;
                }
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
        while !spawner.is_full() {
            spawner.give(&command);
            assert_eq!(spawner.is_ready(), spawner.waiting.len() < TOGETHER);
            spawner.flush().unwrap();
            sent += 1;
        }
        assert!(!spawner.is_ready());
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
        assert!(spawner.is_ready() && !spawner.is_waiting());
        drop(commands);
        spawner.give(&command);
        assert!(spawner.flush().is_err());
        drop(reports.write);
        assert!(spawner.receive().is_err());
    }
}
