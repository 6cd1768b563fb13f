//! A delivery that is running.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use qmail_sys::Exit;
use qmail_wire::spawn::Verdict;

use crate::Output;

/// Bytes that are taken in one turn: more than any pipe holds. Others want their turn.
const TURN: usize = 1 << 20;

pub(crate) struct Delivery<O> {
    /// `None` once nobody can write to it any more.
    report: Option<File>,
    output: O,
    exit: Option<Exit>,
}

impl<O> Delivery<O> {
    pub(crate) fn ended(&mut self, exit: Exit) {
        self.exit = Some(exit);
    }

    /// Whether there is nothing more to come.
    ///
    /// Quirk: what it has left in the background belongs to it until it has closed the report, as
    /// with netqmail: it may still have something to say, and would be killed by saying it to
    /// nobody. Pinned by `what_runs_in_the_background_belongs_to_the_delivery`.
    pub(crate) fn is_over(&self) -> bool {
        self.exit.is_some() && self.report.is_none()
    }

    /// What to wait for.
    pub(crate) fn report(&self) -> Option<BorrowedFd<'_>> {
        self.report.as_ref().map(AsFd::as_fd)
    }
}

impl<O: Output> Delivery<O> {
    /// `report` does not block.
    pub(crate) fn new(report: OwnedFd) -> Self {
        Self { report: Some(File::from(report)), output: O::default(), exit: None }
    }

    /// Takes what it has said until now.
    pub(crate) fn read(&mut self) {
        let Some(report) = &mut self.report else { return };
        let mut block = [0; 4096];
        let mut taken = 0;
        while taken < TURN {
            match report.read(&mut block) {
                Ok(length) if length > 0 => {
                    taken += length;
                    self.output.push(block.get(..length).unwrap_or_default());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Ok(_) | Err(_) => {
                    self.report = None;
                    return;
                }
            }
        }
    }

    /// What became of it; `None` before it has ended.
    pub(crate) fn finish(self) -> Option<(Verdict, Vec<u8>)> {
        self.exit.map(|exit| self.output.judge(exit))
    }
}
