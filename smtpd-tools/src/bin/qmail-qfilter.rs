//! qmail-qfilter: runs filters that may change message and envelope, then the queue program.
//!
//! Runs as:     who runs qmail-smtpd or qmail-inject, by a script that $QMAILQUEUE names
//! Descriptors: 0 message and 1 envelope, both read
//! Exit codes:  those of the queue program and of filters; 0 also if a filter drops the message;
//!              51 no memory; 53 no room; 54 unreadable; 81 no processes left; 91 no envelope;
//!              100 wrong usage; 120 no queue program
#![forbid(unsafe_code)]

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use qmail_sys::{Exit, FailureCodes, Spawn};
use smtpd_tools::command;
use smtpd_tools::envelope::Envelope;
use smtpd_tools::spool;

/// A filter exits with this to make the message disappear.
const DROPPED: u8 = 99;
/// More is no envelope.
const LONGEST_ENVELOPE: u64 = 100_000_000;
/// More is no path.
const LONGEST_PATH: u64 = 4096;

const NO_ROOM: u8 = 53;
const UNREADABLE: u8 = 54;
const NO_PROCESSES: u8 = 81;
const NO_ENVELOPE: u8 = 91;

/// The message on its way through the filters.
struct State {
    message: File,
    envelope: Vec<u8>,
    queue: OsString,
}

fn main() -> ExitCode {
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    let filters: Vec<&[OsString]> = words.split(|word| word == "--").collect();
    if filters.iter().any(|filter| filter.is_empty()) {
        return ExitCode::from(100);
    }
    ExitCode::from(run(&filters).unwrap_or_else(|code| code))
}

fn run(filters: &[&[OsString]]) -> Result<u8, u8> {
    let mut state = State::read()?;
    for filter in filters {
        match state.filter(filter)? {
            0 => {}
            DROPPED => return Ok(0),
            code => return Ok(code),
        }
    }
    state.queue()
}

impl State {
    fn read() -> Result<Self, u8> {
        let message = File::from(qmail_sys::inherit(0).map_err(|_| UNREADABLE)?);
        let envelope = File::from(qmail_sys::inherit(1).map_err(|_| UNREADABLE)?);
        let (message, _) = spool::take(message).map_err(|_| NO_ROOM)?;
        let mut bytes = Vec::new();
        envelope.take(LONGEST_ENVELOPE).read_to_end(&mut bytes).map_err(|_| UNREADABLE)?;
        let queue = env::var_os("QQF_QMAILQUEUE").unwrap_or_else(|| "bin/qmail-queue".into());
        Ok(Self { message, envelope: bytes, queue })
    }

    /// Runs one filter and takes what it changed. Its exit code.
    fn filter(&mut self, words: &[OsString]) -> Result<u8, u8> {
        let envelope = Envelope::parse(&self.envelope).ok_or(NO_ENVELOPE)?;
        let size = self.message.metadata().map_err(|_| UNREADABLE)?.len();
        let given = spooled(&self.envelope).map_err(|_| NO_ROOM)?;
        let made = || spool::empty().map_err(|_| NO_ROOM);
        let (message, changed, queue) = (made()?, made()?, made()?);
        let (user, host) = envelope.user_and_host();
        let mut recipients = envelope.recipients.join(&b'\n');
        recipients.push(b'\n');
        let number = |number: u64| number.to_string().into_bytes();
        let spawn = command::spawn(words)
            .env("QMAILUSER", user)
            .env("QMAILHOST", host)
            .env("QMAILRCPTS", &recipients)
            .env("ENVSIZE", &number(self.envelope.len() as u64))
            .env("MSGSIZE", &number(size))
            .env("NUMRCPTS", &number(envelope.recipients.len() as u64))
            .env("QQF_QMAILQUEUE", self.queue.as_bytes())
            .connect(0, self.message.as_fd())
            .connect(1, message.as_fd())
            .connect(3, given.as_fd())
            .connect(4, changed.as_fd())
            .connect(5, queue.as_fd())
            .failing_with(FailureCodes::all(NO_PROCESSES));
        let exit = spawn.start().and_then(qmail_sys::Child::wait).map_err(|_| NO_PROCESSES)?;
        self.message.rewind().map_err(|_| UNREADABLE)?;
        match exit {
            Exit::Code(0) => self.take(message, changed, queue).map_err(|_| UNREADABLE).map(|()| 0),
            Exit::Code(code) => Ok(code),
            Exit::Signal(_) => Ok(NO_PROCESSES),
        }
    }

    /// What a filter has left empty, it has not changed.
    fn take(&mut self, mut message: File, changed: File, queue: File) -> io::Result<()> {
        if message.metadata()?.len() > 0 {
            message.rewind()?;
            self.message = message;
        }
        let envelope = contents(changed, LONGEST_ENVELOPE)?;
        if !envelope.is_empty() {
            self.envelope = envelope;
        }
        let queue = contents(queue, LONGEST_PATH)?;
        let queue = queue.split(|byte| matches!(byte, b'\n' | 0)).next().unwrap_or_default();
        if !queue.is_empty() {
            self.queue = OsStr::from_bytes(queue).to_owned();
        }
        Ok(())
    }

    fn queue(self) -> Result<u8, u8> {
        let envelope = spooled(&self.envelope).map_err(|_| NO_ROOM)?;
        let spawn = Spawn::new(&self.queue)
            .directory(&qmail_core::home::home())
            .connect(0, self.message.as_fd())
            .connect(1, envelope.as_fd())
            .failing_with(FailureCodes::all(120));
        match spawn.start().and_then(qmail_sys::Child::wait) {
            Ok(Exit::Code(code)) => Ok(code),
            Ok(Exit::Signal(_)) | Err(_) => Err(NO_PROCESSES),
        }
    }
}

fn spooled(bytes: &[u8]) -> io::Result<File> {
    let mut file = spool::empty()?;
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}

fn contents(mut file: File, most: u64) -> io::Result<Vec<u8>> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
