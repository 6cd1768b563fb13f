//! A program that finds out about one address, and ends.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use qmail_sys::{Exit, FailureCodes, Identity, Spawn, pipe, set_nonblocking};

use super::{Found, PROGRAM};
use crate::trouble::Trouble;

/// What it may say: names and an address, which programs take as arguments.
const LIMIT: usize = 1 << 20;
/// What a program ends with whose libraries cannot be loaded: see ld.so(8).
const NOT_LOADED: u8 = 127;

/// A program at work.
#[derive(Debug)]
pub(crate) struct Once {
    process: u32,
    exit: Option<Exit>,
    /// `None` after its end.
    answers: Option<File>,
    strings: Vec<u8>,
    /// What we did not let it finish has no meaning, nor has its end.
    is_whole: bool,
}

impl Once {
    pub(super) fn start(home: &Path, identity: Identity, local: &[u8]) -> io::Result<Self> {
        let answers = pipe()?;
        set_nonblocking(&answers.read)?;
        // Not our commands, which it could read.
        let nothing = File::open("/dev/null")?;
        let child = program(home, identity)
            .arg_bytes(local)
            .connect(0, nothing.as_fd())
            .connect(1, answers.write.as_fd())
            .start()?;
        let (process, answers) = (child.id(), Some(File::from(answers.read)));
        Ok(Self { process, exit: None, answers, strings: Vec::new(), is_whole: true })
    }

    pub(super) fn answers(&self) -> Option<BorrowedFd<'_>> {
        self.answers.as_ref().map(AsFd::as_fd)
    }

    /// Whether it was this process that ended.
    pub(super) fn ended(&mut self, process: u32, exit: Exit) -> bool {
        let is_ours = self.process == process && self.exit.is_none();
        if is_ours {
            self.exit = Some(exit);
        }
        is_ours
    }

    /// Reads once; what it has found, if it has ended and said all.
    pub(super) fn read(&mut self) -> Option<Found> {
        let mut block = [0; 4096];
        match self.answers.as_mut().map(|answers| answers.read(&mut block)) {
            None => {}
            Some(Ok(length)) if length > 0 => {
                self.strings.extend_from_slice(block.get(..length).unwrap_or_default());
                if self.strings.len() >= LIMIT {
                    (self.is_whole, self.answers) = (false, None);
                }
            }
            Some(Err(error))
                if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            Some(Err(_)) => (self.is_whole, self.answers) = (false, None),
            Some(Ok(_)) => self.answers = None,
        }
        let exit = self.exit.filter(|_| self.answers.is_none())?;
        Some(self.judge(exit))
    }

    fn judge(&mut self, exit: Exit) -> Found {
        match exit {
            _ if !self.is_whole => Err(Trouble::System.into()),
            Exit::Code(0) => Ok(std::mem::take(&mut self.strings)),
            // It could not start, which says nothing of the address: passed on, it would bounce.
            Exit::Code(NOT_LOADED) => Err(Trouble::RunLookup.into()),
            Exit::Code(code) => Err(crate::trouble::Failure::Lookup(code)),
            Exit::Signal(_) => Err(Trouble::System.into()),
        }
    }
}

/// The program, as whom it has to run.
pub(super) fn program<'fd>(home: &Path, identity: Identity) -> Spawn<'fd> {
    let codes =
        FailureCodes { setup: Trouble::Bug.code(), ..FailureCodes::all(Trouble::RunLookup.code()) };
    Spawn::new(PROGRAM).directory(home).as_user(identity).failing_with(codes)
}
