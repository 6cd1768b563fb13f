//! Reading and writing with a limit to each wait.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use qmail_sys::{Interest, poll};

/// A descriptor on which no single read or write waits longer than its limit.
#[derive(Debug)]
pub struct Timed {
    file: File,
    limit: Duration,
}

impl Timed {
    /// `limit` is for each read and each write, not for all of them.
    pub fn new(descriptor: OwnedFd, limit: Duration) -> Self {
        Self { file: File::from(descriptor), limit }
    }

    /// For writing to somebody who may not read. A socket that is ready takes some bytes; without a
    /// limit of its own it would then wait for the other side to read all the others. Descriptors
    /// that are none know no such limit.
    pub fn writing(descriptor: OwnedFd, limit: Duration) -> Self {
        let socket = TcpStream::from(descriptor);
        // ENOTSOCK if it is a pipe.
        let _ = socket.set_write_timeout(Some(limit));
        Self::new(socket.into(), limit)
    }

    fn wait(&self, interest: impl Fn(&File) -> Interest<'_>) -> io::Result<()> {
        let started = std::time::Instant::now();
        loop {
            let left = self.limit.saturating_sub(started.elapsed());
            if poll(&mut [interest(&self.file)], Some(left))? {
                return Ok(());
            }
            // A signal ends a poll early, too.
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }
}

impl AsFd for Timed {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait(|file| Interest::reading(file.as_fd()))?;
        self.file.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait(|file| Interest::writing(file.as_fd()))?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_a_time_out_and_eof_is_not() {
        let pipe = qmail_sys::pipe().unwrap();
        let mut timed = Timed::new(pipe.read, Duration::from_millis(1));
        let mut buffer = [0; 4];
        assert_eq!(timed.read(&mut buffer).unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(pipe.write);
        assert_eq!(timed.read(&mut buffer).unwrap(), 0);
    }
}
