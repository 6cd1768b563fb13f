//! What qmail-qrepair says, and what it counts.

use std::fmt::Display;
use std::io::Write;

use super::plan::{Move, Why};

/// Says what is found and what is done. Who does not listen gets his queue repaired all the same.
#[derive(Debug)]
pub(super) struct Report<W> {
    output: W,
    repair: bool,
    /// Flaws that are still there.
    pub(super) left: u64,
    /// All that there were.
    pub(super) found: u64,
}

impl<W: Write> Report<W> {
    pub(super) fn new(output: W, repair: bool) -> Self {
        Self { output, repair, left: 0, found: 0 }
    }

    /// Whether flaws are repaired.
    pub(super) fn repairs(&self) -> bool {
        self.repair
    }

    pub(super) fn say(&mut self, line: impl Display) {
        let _ = writeln!(self.output, "{line}");
    }

    /// Something is wrong, and is going to be repaired if that is wanted.
    pub(super) fn flaw(&mut self, line: impl Display) {
        self.found += 1;
        self.say(format_args!("  {line}"));
        if !self.repair {
            self.left += 1;
            self.say("  testmode, not fixing");
        }
    }

    /// Something is wrong, and only a human can say what is to be done.
    pub(super) fn hopeless(&mut self, line: impl Display) {
        self.found += 1;
        self.left += 1;
        self.say(format_args!("  {line}"));
    }

    pub(super) fn fixed(&mut self, what: impl Display) {
        self.say(format_args!("  fixed, {what}"));
    }

    pub(super) fn misplaced(&mut self, file: &Move) {
        let name = file.from.display();
        match file.why {
            Why::Inode(inode) => self.flaw(format_args!("{name} is inode {inode}")),
            Why::Misplaced => self.flaw(format_args!("{name} is in the wrong directory")),
            Why::NoMessage => self.flaw(format_args!("{name} belongs to no message")),
            Why::EarlyBounce => self.flaw(format_args!("{name} belongs to another message")),
            Why::NoSender => self.flaw(format_args!("{name} has recipients, but no sender")),
            Why::Twice => self.flaw(format_args!("{name} exists twice")),
        }
    }
}
