//! Who answers whether a recipient exists: qmail-chkuser, as a process of our own or behind a local
//! socket.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use qmail_core::timed::Timed;
use qmail_sys::{Child, Spawn, pipe};

/// Where to ask. Nothing is started before the first question.
pub(super) struct Service {
    pub(super) home: PathBuf,
    pub(super) socket: Option<PathBuf>,
    pub(super) time: Duration,
    pub(super) line: Option<Line>,
}

/// Somebody who answers.
pub(super) struct Line {
    questions: Timed,
    answers: Timed,
    /// It ends when we close its pipes, or when it is told to.
    child: Option<Child>,
}

impl Service {
    /// The letter that answers a question: see qmail-chkuser(8).
    ///
    /// # Errors
    /// If there is nobody, or he says nothing.
    pub(super) fn ask(&mut self, question: &[u8]) -> io::Result<u8> {
        let mut line = match self.line.take() {
            Some(line) => line,
            None => match &self.socket {
                Some(socket) => Line::connect(socket, self.time)?,
                None => Line::start(&self.home, self.time)?,
            },
        };
        let answer = line.ask(question);
        match answer {
            Ok(_) => self.line = Some(line),
            // Not kept: its answers might be to earlier questions.
            Err(_) => line.end(),
        }
        answer
    }
}

impl Line {
    fn start(home: &Path, time: Duration) -> io::Result<Self> {
        let (questions, answers) = (pipe()?, pipe()?);
        let child = Spawn::new("bin/qmail-chkuser")
            .directory(home)
            .connect(0, questions.read.as_fd())
            .connect(1, answers.write.as_fd())
            .start()?;
        Ok(Self::over(questions.write, answers.read, time, Some(child)))
    }

    fn connect(socket: &Path, time: Duration) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        Ok(Self::over(stream.try_clone()?.into(), stream.into(), time, None))
    }

    fn over(to: OwnedFd, from: OwnedFd, time: Duration, child: Option<Child>) -> Self {
        Self { questions: Timed::new(to, time), answers: Timed::new(from, time), child }
    }

    fn ask(&mut self, question: &[u8]) -> io::Result<u8> {
        self.questions.write_all(&[question, b"\0"].concat())?;
        let mut letter = [0];
        self.answers.read_exact(&mut letter)?;
        Ok(u8::from_be_bytes(letter))
    }

    /// Leaves nothing behind: a client could have one process started for each recipient.
    fn end(self) {
        if let Some(child) = self.child
            && child.kill().is_ok()
        {
            // How it ended makes no difference.
            let _ = child.wait();
        }
    }
}
