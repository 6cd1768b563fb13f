//! The client of qmail-queue: how every program hands a message on.
//!
//! The message goes to descriptor 0 of the queue program and is closed, then the envelope to
//! descriptor 1. The program may say in its own words why it refuses: on descriptor 6 or 4, or the
//! one that `$ERROR_FD` names.

mod refusal;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::{env, io};

use qmail_sys::{Child, Exit, FailureCodes, Interest, Spawn, pipe, poll};

pub use refusal::Refusal;

/// The variable with the number of the descriptor for its words.
const NAMED_DESCRIPTOR: &str = "ERROR_FD";
/// Most of what a queue program may say about its refusal, in bytes.
const CUSTOM_LIMIT: usize = 255;

/// A message on its way to the queue program. If it is dropped unfinished, nothing is queued.
#[derive(Debug)]
pub struct Submission {
    child: Child,
    message: BufWriter<File>,
    envelope: BufWriter<File>,
    custom: File,
    failed: bool,
}

impl Submission {
    /// Starts `$QMAILQUEUE`, or else `bin/qmail-queue`, in `home`.
    ///
    /// # Errors
    /// If there are no pipes or processes left.
    pub fn start(home: &Path) -> io::Result<Self> {
        let program = env::var_os("QMAILQUEUE").unwrap_or_else(|| "bin/qmail-queue".into());
        Self::start_program(program, home)
    }

    /// As [`Self::start`], for a queue program that is to see other variables than we do: `prepare`
    /// sets them.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(
        home: &Path,
        prepare: impl FnOnce(Spawn<'static>) -> Spawn<'static>,
    ) -> io::Result<Self> {
        let program = env::var_os("QMAILQUEUE").unwrap_or_else(|| "bin/qmail-queue".into());
        Self::start_prepared(prepare(Spawn::new(program)), home)
    }

    /// As [`Self::start_with`], for a caller who knows better than `$QMAILQUEUE` what the queue
    /// program is.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_as(
        program: impl AsRef<OsStr>,
        home: &Path,
        prepare: impl FnOnce(Spawn<'static>) -> Spawn<'static>,
    ) -> io::Result<Self> {
        Self::start_prepared(prepare(Spawn::new(program)), home)
    }

    fn start_program(program: OsString, home: &Path) -> io::Result<Self> {
        Self::start_prepared(Spawn::new(program), home)
    }

    fn start_prepared(spawn: Spawn<'static>, home: &Path) -> io::Result<Self> {
        let (message, envelope, custom) = (pipe()?, pipe()?, pipe()?);
        let codes = FailureCodes { directory: 61, ..FailureCodes::all(120) };
        let mut spawn = spawn
            .directory(home)
            .connect(0, message.read.as_fd())
            .connect(1, envelope.read.as_fd())
            .failing_with(codes);
        for descriptor in custom_descriptors() {
            spawn = spawn.connect(descriptor, custom.write.as_fd());
        }
        if env::var_os(NAMED_DESCRIPTOR).is_none() {
            spawn = spawn.env(NAMED_DESCRIPTOR, b"6");
        }
        let child = spawn.start()?;
        Ok(Self {
            child,
            message: BufWriter::with_capacity(65_536, File::from(message.write)),
            envelope: BufWriter::new(File::from(envelope.write)),
            custom: File::from(custom.read),
            failed: false,
        })
    }

    /// Process id of the queue program, which names the message in logs and replies (`qp`).
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Adds to the message. A failure is remembered, and [`Self::finish`] tells it.
    pub fn write(&mut self, bytes: &[u8]) {
        if !self.failed {
            self.failed = self.message.write_all(bytes).is_err();
        }
    }

    /// Makes sure that nothing is queued: the message is not what it should be.
    pub fn fail(&mut self) {
        self.failed = true;
    }

    /// Ends the message, sends the envelope and waits for the verdict.
    ///
    /// # Errors
    /// A [`Refusal`], unless the message is queued.
    pub fn finish<A: AsRef<[u8]>>(
        self,
        sender: &[u8],
        recipients: impl IntoIterator<Item = A>,
    ) -> Result<(), Refusal> {
        self.finish_with_code(sender, recipients).map_err(|(refusal, _)| refusal)
    }

    /// As [`Self::finish`], for a caller who has texts of his own for some exit codes.
    ///
    /// # Errors
    /// A [`Refusal`] and the exit code that it was made of, unless the message is queued.
    pub fn finish_with_code<A: AsRef<[u8]>>(
        self,
        sender: &[u8],
        recipients: impl IntoIterator<Item = A>,
    ) -> Result<(), (Refusal, Option<u8>)> {
        let Self { child, message, envelope, custom, failed } = self;
        // Closed before the envelope is sent, since the queue program reads to its end first.
        let flushed = message.into_inner().map(drop).is_ok();
        let sent = if flushed && !failed {
            send_envelope(envelope, sender, recipients).is_ok()
        } else {
            // The queue program sees an envelope that is cut off, and queues nothing.
            drop(envelope);
            false
        };
        let words = read_custom(&custom, &child);
        let exit = child.wait();
        let code = match &exit {
            Ok(Exit::Code(code)) => Some(*code),
            Ok(Exit::Signal(_)) | Err(_) => None,
        };
        refusal::verdict(exit, sent, words).map_err(|refusal| (refusal, code))
    }
}

fn send_envelope<A: AsRef<[u8]>>(
    mut envelope: BufWriter<File>,
    sender: &[u8],
    recipients: impl IntoIterator<Item = A>,
) -> io::Result<()> {
    write_record(&mut envelope, b"F", sender)?;
    for recipient in recipients {
        write_record(&mut envelope, b"T", recipient.as_ref())?;
    }
    envelope.write_all(b"\0")?;
    envelope.flush()
}

/// An address with a NUL would be two records: the envelope ends without its final NUL instead.
fn write_record(envelope: &mut impl Write, letter: &[u8], address: &[u8]) -> io::Result<()> {
    if address.contains(&0) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    envelope.write_all(letter)?;
    envelope.write_all(address)?;
    envelope.write_all(b"\0")
}

/// Where queue programs write what they have to say: 6, for older ones 4, and the one that is
/// named. All are the same pipe.
fn custom_descriptors() -> Vec<u8> {
    let named = env::var(NAMED_DESCRIPTOR).ok().and_then(|number| number.parse().ok());
    let named = named.filter(|number| ![0, 1, 2, 4, 6].contains(number));
    [6, 4].into_iter().chain(named).collect()
}

/// What the queue program says in its own words, until it closes the descriptor or ends: a process
/// that it left behind may keep the descriptor open for ever.
fn read_custom(mut custom: &File, child: &Child) -> Vec<u8> {
    let ended = child.ended().ok();
    let mut words = Vec::new();
    loop {
        let mut interests = vec![Interest::reading(custom.as_fd())];
        interests.extend(ended.iter().map(|ended| Interest::reading(ended.as_fd())));
        if poll(&mut interests, None).is_err() {
            return words;
        }
        match interests.first() {
            Some(words_waiting) if words_waiting.is_ready() => {}
            _ if interests.get(1).is_some_and(Interest::is_ready) => return words,
            _ => continue,
        }
        let mut block = [0; 512];
        match custom.read(&mut block) {
            Ok(0) | Err(_) => return words,
            Ok(length) => words.extend_from_slice(block.get(..length).unwrap_or_default()),
        }
        words.truncate(CUSTOM_LIMIT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `script`, from `a@b` to `c@d`, to a shell as the queue program: the message runs.
    fn run(script: &str) -> (Result<(), Refusal>, tempfile::TempDir) {
        let home = tempfile::tempdir().unwrap();
        let mut submission = Submission::start_program("/bin/sh".into(), home.path()).unwrap();
        submission.write(script.as_bytes());
        (submission.finish(b"a@b", [b"c@d"]), home)
    }

    fn text(script: &str) -> String {
        let refusal = run(script).0.unwrap_err();
        String::from_utf8([if refusal.permanent { b"D" } else { b"Z" }, &*refusal.text].concat())
            .unwrap()
    }

    #[test]
    fn message_and_envelope_arrive_as_they_are() {
        let (result, home) = run("cat <&1 > envelope");
        assert!(result.is_ok());
        assert_eq!(std::fs::read(home.path().join("envelope")).unwrap(), b"Fa@b\0Tc@d\0\0");
    }

    #[test]
    fn what_failed_has_no_envelope() {
        let home = tempfile::tempdir().unwrap();
        let mut submission = Submission::start_program("/bin/sh".into(), home.path()).unwrap();
        submission.write(b"cat <&1 > envelope");
        submission.fail();
        let refusal = submission.finish(b"a@b", [b"c@d"]).unwrap_err();
        assert_eq!(refusal.to_string(), "qq read error (#4.3.0)");
        assert_eq!(std::fs::read(home.path().join("envelope")).unwrap(), b"");
    }

    #[test]
    fn the_queue_program_sees_the_variables_that_were_prepared() {
        let home = tempfile::tempdir().unwrap();
        let shell = Spawn::new("/bin/sh").args(["-c", "printf %s \"$WHO\" > who; exit 31"]);
        let submission = Submission::start_prepared(shell.env("WHO", b"joe"), home.path()).unwrap();
        assert!(submission.finish(b"", [b"a@b"]).is_err());
        assert_eq!(std::fs::read(home.path().join("who")).unwrap(), b"joe");
    }

    #[test]
    fn exit_codes_become_texts() {
        assert_eq!(text("exit 31"), "Dmail server permanently rejected message (#5.3.0)");
        assert_eq!(text("exit 99"), "Zqq temporary problem (#4.3.0)");
        assert_eq!(text("kill -9 $$"), "Zqq crashed (#4.3.0)");
    }

    #[test]
    fn own_words_are_passed_on_without_line_breaks() {
        assert_eq!(text("printf 'Dno\\r\\nspam\\n' >&6; exit 82"), "Dno  spam");
        assert_eq!(text("printf 'perhaps' >&6; exit 88"), "Zperhaps");
        assert_eq!(text("printf 'Dold' >&4; exit 82"), "Dold");
        assert_eq!(text("printf 'Dnamed' >&$ERROR_FD; exit 82"), "Dnamed");
        assert_eq!(text("printf 'Dcaf\\303\\251' >&4; exit 82"), "Dcaf??");
        assert_eq!(text("printf 'D' >&6; exit 82"), "Zqq temporary problem (#4.3.0)");
    }

    #[test]
    fn a_process_left_behind_does_not_hold_us_up() {
        assert!(run("cat <&1 >/dev/null; sleep 60 >/dev/null 2>&1 &").0.is_ok());
    }
}
