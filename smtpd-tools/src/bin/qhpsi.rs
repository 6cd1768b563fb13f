//! qhpsi: asks a virus scanner about a message, then runs the queue program.
//!
//! Runs as:     who runs qmail-smtpd, if $QHPSI is set; or anybody, as $QMAILQUEUE
//! Descriptors: 0 message and 1 envelope, both read
//! Exit codes:  those of the queue program; 32 the scanner found something; 53 no room;
//!              54 unreadable; 55 controls unreadable; 61 no home directory; 71 the scanner failed;
//!              120 no queue program
#![forbid(unsafe_code)]

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use qmail_core::control::{Controls, TIMEOUTFILTERS, leading_number};
use qmail_core::home::home;
use qmail_message::parts::Parts;
use qmail_sys::{Exit, FailureCodes, Spawn};
use smtpd_tools::command::{ends_before, spawn};
use smtpd_tools::session::variable;
use tempfile::NamedTempFile;

const INFECTED: u8 = 32;
const NO_ROOM: u8 = 53;
const UNREADABLE: u8 = 54;
const FAILED: u8 = 71;
const NO_QUEUE: u8 = 120;

/// What a scanner exits with if it has found something, unless `$QHPSIRC` says otherwise.
const FOUND: u64 = 1;

fn main() -> ExitCode {
    let Err(code) = run();
    ExitCode::from(code)
}

fn run() -> Result<std::convert::Infallible, u8> {
    let home = home();
    env::set_current_dir(&home).map_err(|_| 61)?;
    let mut message = take().map_err(|_| NO_ROOM)??;
    if let Some(scanner) = variable("QHPSI")
        && is_to_be_scanned(message.as_file_mut()).map_err(|_| UNREADABLE)?
    {
        let seconds = Controls::open(&home).and_then(|controls| controls.number(&TIMEOUTFILTERS));
        let time = Duration::from_secs(seconds.map_err(|_| 55)?.clamp(1, 3600));
        scan(&scanner, message.path(), time)?;
    }
    // From here on it has no name.
    let (mut message, _) = message.into_parts();
    message.rewind().map_err(|_| UNREADABLE)?;
    let queue = Spawn::new(queue_program()).connect(0, message.as_fd());
    queue.failing_with(FailureCodes::all(NO_QUEUE)).replace().map_err(|_| NO_QUEUE)
}

/// The message, in a file that has a name as long as the scanner needs it. The inner error is that
/// it could not be read, the outer one that it could not be written.
fn take() -> io::Result<Result<NamedTempFile, u8>> {
    let mut file = NamedTempFile::with_prefix("qhpsi-")?;
    let mut input = io::stdin().lock();
    let mut block = vec![0; 65_536];
    loop {
        match input.read(&mut block) {
            Ok(0) => return Ok(Ok(file)),
            Ok(length) => file.write_all(block.get(..length).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Ok(Err(UNREADABLE)),
        }
    }
}

/// Neither too small nor too large, and with a part that is base64 if only those are suspicious.
fn is_to_be_scanned(message: &mut File) -> io::Result<bool> {
    let size = message.metadata()?.len();
    let limit = |name: &str| variable(name).and_then(|value| leading_number(&value));
    let limit = |name: &str| limit(name).filter(|limit| *limit > 0);
    if limit("QHPSIMINSIZE").is_some_and(|least| size < least)
        || limit("QHPSIMAXSIZE").is_some_and(|most| size > most)
    {
        return Ok(false);
    }
    if env::var_os("BASE64").is_none() {
        return Ok(true);
    }
    message.rewind()?;
    let (mut parts, mut has_base64) = (Parts::default(), false);
    let mut block = vec![0; 65_536];
    loop {
        let length = message.read(&mut block)?;
        if length == 0 || has_base64 {
            return Ok(has_base64);
        }
        let block = block.get(..length).unwrap_or_default();
        parts.look(block, |line| has_base64 |= line.is_base64);
    }
}

/// Runs `SCANNER FILE ARGUMENT...`.
fn scan(scanner: &[u8], message: &Path, time: Duration) -> Result<(), u8> {
    let arguments = ["QHPSIARG1", "QHPSIARG2", "QHPSIARG3"].map(env::var_os);
    let mut words: Vec<OsString> = vec![word(scanner), message.into()];
    words.extend(arguments.into_iter().map_while(|argument| argument));
    let exit = finish(&words, time).map_err(|_| FAILED)?;
    let found = variable("QHPSIRC").map_or(FOUND, |code| leading_number(&code).unwrap_or(0));
    match exit {
        Some(Exit::Code(code)) if u64::from(code) == found => Err(INFECTED),
        Some(Exit::Code(0)) => Ok(()),
        Some(_) | None => Err(FAILED),
    }
}

/// How it ended; `None` if it took too long, and was killed.
fn finish(words: &[OsString], time: Duration) -> io::Result<Option<Exit>> {
    let (nothing, errors) = (File::open("/dev/null")?, io::stderr());
    let child = spawn(words).connect(0, nothing.as_fd()).connect(1, errors.as_fd()).start()?;
    if ends_before(&child, Instant::now() + time)? {
        return child.wait().map(Some);
    }
    // It may have ended in the meantime.
    let _ = child.kill();
    child.wait().map(|_| None)
}

/// The one that `$QMAILQUEUE` names, unless that is this one.
fn queue_program() -> OsString {
    let named = env::var_os("QMAILQUEUE").filter(|path| !path.is_empty());
    let other = named.filter(|path| Path::new(path).file_name() != Some(OsStr::new("qhpsi")));
    other.unwrap_or_else(|| "bin/qmail-queue".into())
}

fn word(bytes: &[u8]) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec())
}
