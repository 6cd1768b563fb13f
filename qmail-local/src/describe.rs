//! Saying what would be done: `qmail-local -n`.

use std::io::Write;

use crate::execute::{Actions, Next};
use crate::failure::Failure;

/// Prints a line for each instruction.
pub struct Describe<'output> {
    output: &'output mut dyn Write,
}

impl<'output> Describe<'output> {
    /// To `output`.
    pub fn new(output: &'output mut dyn Write) -> Self {
        Self { output }
    }

    fn say(&mut self, what: &str, text: &[u8]) {
        // Who closed it does not want to know.
        let _ = self.output.write_all(&[what.as_bytes(), b" ", text, b"\n"].concat());
    }
}

impl Actions for Describe<'_> {
    fn maildir(&mut self, path: &[u8]) -> Result<(), Failure> {
        self.say("maildir", path);
        Ok(())
    }

    fn mbox(&mut self, path: &[u8]) -> Result<(), Failure> {
        self.say("mbox", path);
        Ok(())
    }

    fn program(&mut self, command: &[u8]) -> Result<Next, Failure> {
        self.say("program", command);
        Ok(Next::Continue)
    }

    fn forward(&mut self, address: &[u8]) {
        self.say("forward", address);
    }

    fn finish(self) -> Result<Option<u32>, Failure> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::execute;

    #[test]
    fn every_delivery_is_a_line_of_its_own() {
        let mut output = Vec::new();
        let file = b"./M/ \n./m\n|cmd x\n&a@b\nc@d\n# no\n+list\n";
        let tally = execute(file, false, Describe::new(&mut output)).unwrap();
        let expected = "maildir ./M/\nmbox ./m\nprogram cmd x\nforward a@b\nforward c@d\n";
        assert_eq!(String::from_utf8(output).unwrap(), expected);
        assert_eq!(tally.to_string(), "did 2+2+1\n");
    }
}
