//! Reading a message piece by piece, in bounded memory.

use std::io::{self, Read};

/// Bytes of a block, at most.
pub const BLOCK: usize = 65_536;
/// Bytes of the first one: most messages have less. More would be taken from the system, and given
/// back to it, for each.
const FIRST: usize = 8192;

/// The blocks of an input. A line may be cut anywhere, and be longer than memory.
#[derive(Debug)]
pub struct Blocks<R> {
    input: R,
    buffer: Vec<u8>,
    /// The last block was as large as it could be.
    is_full: bool,
}

impl<R: Read> Blocks<R> {
    /// Reads from where `input` is.
    pub fn new(input: R) -> Self {
        Self { input, buffer: vec![0; FIRST], is_full: false }
    }

    /// The next block, which is not empty; `None` at the end.
    pub fn next_block(&mut self) -> io::Result<Option<&[u8]>> {
        if self.is_full && self.buffer.len() < BLOCK {
            self.buffer = vec![0; BLOCK];
        }
        loop {
            match self.input.read(&mut self.buffer) {
                Ok(0) => return Ok(None),
                Ok(length) => {
                    self.is_full = length == self.buffer.len();
                    return Ok(self.buffer.get(..length));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_arrives_once_and_in_order() {
        let input: Vec<u8> = (0..BLOCK * 2 + 5).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let mut blocks = Blocks::new(input.as_slice());
        let mut output = Vec::new();
        while let Some(block) = blocks.next_block().unwrap() {
            assert!(!block.is_empty());
            output.extend_from_slice(block);
        }
        assert_eq!(output, input);
    }
}
