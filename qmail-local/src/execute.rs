//! Carrying out instructions, one after the other.

use std::fmt;

use crate::failure::Failure;
use crate::instruction::{Instruction, instructions};

/// What instructions can make happen.
pub trait Actions {
    /// Delivers to a maildir.
    fn maildir(&mut self, path: &[u8]) -> Result<(), Failure>;
    /// Delivers to an mbox.
    fn mbox(&mut self, path: &[u8]) -> Result<(), Failure>;
    /// Gives the message to a command.
    fn program(&mut self, command: &[u8]) -> Result<Next, Failure>;
    /// Notes an address to forward to.
    fn forward(&mut self, address: &[u8]);
    /// Forwards to the addresses that were noted. Returns the number of the new message, if any.
    fn finish(self) -> Result<Option<u32>, Failure>;
}

/// What a program that succeeded says about the lines behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Go on.
    Continue,
    /// That was all: the lines behind are not for this message.
    Stop,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Deliveries to maildirs and mboxes.
    pub files: u64,
    /// Addresses.
    pub forwards: u64,
    /// Programs.
    pub programs: u64,
    /// Whether a program said that the lines behind it are not for this message.
    pub stopped: bool,
    /// The number of the message that was forwarded.
    pub queued: Option<u32>,
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "did {}+{}+{}", self.files, self.forwards, self.programs)?;
        self.queued.map_or(Ok(()), |number| writeln!(formatter, "qp {number}"))
    }
}

/// Carries out the instructions in `file`.
///
/// Forwarding comes last, in one message: a line that fails prevents all of it. What earlier lines
/// did has happened, and happens again when the message is tried again.
pub fn execute(
    file: &[u8],
    mut forward_only: bool,
    mut actions: impl Actions,
) -> Result<Tally, Failure> {
    // A disk that was full, or a crash: not what the user wrote.
    if file.contains(&0) {
        return Err(Failure::NulInInstructions);
    }
    let mut tally = Tally::default();
    for (number, instruction) in instructions(file).enumerate() {
        match instruction {
            Instruction::Blank if number == 0 => return Err(Failure::BlankFirstLine),
            Instruction::Blank | Instruction::Ignored => {}
            Instruction::ForwardOnly => forward_only = true,
            Instruction::Maildir(_) | Instruction::Mbox(_) if forward_only => {
                return Err(Failure::FileNotAllowed);
            }
            Instruction::Program(_) if forward_only => return Err(Failure::ProgramNotAllowed),
            Instruction::Maildir(path) => {
                tally.files += 1;
                actions.maildir(path)?;
            }
            Instruction::Mbox(path) => {
                tally.files += 1;
                actions.mbox(path)?;
            }
            Instruction::Program(command) => {
                tally.programs += 1;
                if actions.program(command)? == Next::Stop {
                    tally.stopped = true;
                    break;
                }
            }
            Instruction::Forward(address) => {
                tally.forwards += 1;
                actions.forward(address);
            }
        }
    }
    tally.queued = actions.finish()?;
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// Writes down what it is asked to do.
    struct Recorder<'log>(&'log RefCell<Vec<String>>);

    impl Recorder<'_> {
        fn note(&self, what: &str, text: &[u8]) {
            self.0.borrow_mut().push(format!("{what} {}", String::from_utf8_lossy(text)));
        }
    }

    impl Actions for Recorder<'_> {
        fn maildir(&mut self, path: &[u8]) -> Result<(), Failure> {
            self.note("maildir", path);
            Ok(())
        }

        fn mbox(&mut self, path: &[u8]) -> Result<(), Failure> {
            self.note("mbox", path);
            Ok(())
        }

        fn program(&mut self, command: &[u8]) -> Result<Next, Failure> {
            self.note("program", command);
            match command {
                b"fail" => Err(Failure::ProgramDeferred),
                b"99" => Ok(Next::Stop),
                _ => Ok(Next::Continue),
            }
        }

        fn forward(&mut self, address: &[u8]) {
            self.note("forward", address);
        }

        fn finish(self) -> Result<Option<u32>, Failure> {
            self.note("finish", b"");
            Ok(Some(7))
        }
    }

    fn run(file: &[u8], forward_only: bool) -> (Vec<String>, Result<String, String>) {
        let log = RefCell::new(Vec::new());
        let result = execute(file, forward_only, Recorder(&log));
        let text = |failure: Failure| String::from_utf8(failure.message()).unwrap();
        (log.into_inner(), result.map(|tally| tally.to_string()).map_err(text))
    }

    #[test]
    fn lines_are_carried_out_in_order_and_counted() {
        let (log, result) = run(b"./M/\n\n&a@b\n|cmd\n# x\n./m\nc@d\n", false);
        assert_eq!(
            log,
            ["maildir ./M/", "forward a@b", "program cmd", "mbox ./m", "forward c@d", "finish "]
        );
        assert_eq!(result.unwrap(), "did 2+2+1\nqp 7\n");
    }

    #[test]
    fn a_line_that_fails_is_the_last_one_and_nothing_is_forwarded() {
        assert_eq!(run(b"&a@b\n|fail\n./m\n", false).0, ["forward a@b", "program fail"]);
    }

    #[test]
    fn exit_99_skips_the_rest_but_forwards_what_came_before() {
        let (log, result) = run(b"&a@b\n|99\n&c@d\n./m\n", false);
        assert_eq!(log, ["forward a@b", "program 99", "finish "]);
        assert_eq!(result.unwrap(), "did 0+1+1\nqp 7\n");
    }

    #[test]
    fn forwarding_only_refuses_files_and_programs_where_they_stand() {
        let (log, result) = run(b"&a@b\n./m\n", true);
        assert_eq!(log, ["forward a@b"]);
        assert!(result.unwrap_err().contains("file delivery"));
        let (log, result) = run(b"./m\n+list\n|cmd\n", false);
        assert_eq!(log, ["mbox ./m"]);
        assert!(result.unwrap_err().contains("prog delivery"));
    }

    #[test]
    fn damaged_instructions_are_not_carried_out_at_all() {
        assert!(run(b"\n./m\n", false).1.unwrap_err().contains("blank"));
        assert!(run(b" \t\n./m\n", false).1.unwrap_err().contains("blank"));
        assert_eq!(run(b"./m\n\0\0\0", false).0, Vec::<String>::new());
    }
}
