//! A qmail-getpw that stays.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use qmail_core::program::Program;
use qmail_sys::{Identity, pipe, set_nonblocking};
use qmail_wire::lookup::{Answer, AnswerParser, Heard, QUESTIONS, STANDING};

use super::Found;
use super::once::program;
use crate::trouble::Failure;

/// How long it is asked; then another one takes its place. What it reads once, like the order of
/// name services, is never older than this, and what it leaks is not much.
const FRESH: Duration = Duration::from_secs(60);

/// A process that answers one question after the other. When this goes, its questions end, and so
/// does it.
#[derive(Debug)]
pub(crate) struct Standing {
    questions: File,
    answers: File,
    parser: AnswerParser,
    started: Instant,
    program: Option<Program>,
    /// What is asked once it has said that it stays: any other program would never read it.
    first: Vec<u8>,
}

/// What was read.
#[derive(Debug)]
pub(super) enum Reading {
    /// Nothing that is complete.
    More,
    /// The answer.
    Done(Found),
    /// It will not answer any more.
    Gone,
    /// It was another program than ours.
    NeverStayed,
}

impl Standing {
    /// Starts one for this question.
    pub(super) fn start(
        home: &Path,
        identity: Identity,
        first: Vec<u8>,
        program: Option<Program>,
    ) -> io::Result<Self> {
        let (questions, answers) = (pipe()?, pipe()?);
        set_nonblocking(&answers.read)?;
        let nothing = File::open("/dev/null")?;
        let _ = self::program(home, identity)
            .arg("")
            .arg(STANDING)
            .connect(0, nothing.as_fd())
            .connect(1, answers.write.as_fd())
            .connect(QUESTIONS, questions.read.as_fd())
            .start()?;
        Ok(Self {
            questions: File::from(questions.write),
            answers: File::from(answers.read),
            parser: AnswerParser::new(),
            started: Instant::now(),
            program,
            first,
        })
    }

    pub(super) fn is_fresh(&self) -> bool {
        self.started.elapsed() < FRESH
    }

    /// Which file it was started from.
    pub(super) fn program(&self) -> Option<Program> {
        self.program
    }

    /// Asks it; there is room for the question, since none is open.
    pub(super) fn ask(&mut self, question: &[u8]) -> io::Result<()> {
        self.questions.write_all(question)
    }

    pub(super) fn answers(&self) -> BorrowedFd<'_> {
        self.answers.as_fd()
    }

    /// Reads once.
    pub(super) fn read(&mut self) -> Reading {
        let mut block = [0; 4096];
        let length = match self.answers.read(&mut block) {
            Ok(length) if length > 0 => length,
            Err(error)
                if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) =>
            {
                return Reading::More;
            }
            Ok(_) | Err(_) => return self.lost(),
        };
        match self.parser.push(block.get(..length).unwrap_or_default()) {
            Ok(Heard::Nothing) => Reading::More,
            Ok(Heard::Greeting) => {
                let first = std::mem::take(&mut self.first);
                if self.ask(&first).is_ok() { Reading::More } else { Reading::Gone }
            }
            Ok(Heard::Answer(Answer::Found(strings))) => Reading::Done(Ok(strings)),
            Ok(Heard::Answer(Answer::Failed(code))) => Reading::Done(Err(Failure::Lookup(code))),
            Err(_) => self.lost(),
        }
    }

    fn lost(&self) -> Reading {
        if self.parser.is_greeted() { Reading::Gone } else { Reading::NeverStayed }
    }
}
