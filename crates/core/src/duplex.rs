//! Two directions of a connection as one stream.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

/// What is read from one side and written to another.
#[derive(Debug)]
pub struct Duplex<R, W> {
    input: R,
    output: W,
}

impl<R: Read, W: Write> Duplex<R, W> {
    /// Reads from `input` and writes to `output`.
    pub fn new(input: R, output: W) -> Self {
        Self { input, output }
    }

    /// What is read from.
    pub fn input_mut(&mut self) -> &mut R {
        &mut self.input
    }
}

impl<R: AsFd, W> AsFd for Duplex<R, W> {
    /// What is read from: whoever waits, waits for that.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.input.as_fd()
    }
}

impl<R: Read, W> Read for Duplex<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.input.read(buffer)
    }
}

impl<R, W: Write> Write for Duplex<R, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_direction_is_on_its_own() {
        let mut output = Vec::new();
        let mut duplex = Duplex::new(&b"in"[..], &mut output);
        let mut said = String::new();
        duplex.read_to_string(&mut said).unwrap();
        duplex.write_all(b"out").unwrap();
        assert_eq!((said.as_str(), output.as_slice()), ("in", &b"out"[..]));
    }
}
