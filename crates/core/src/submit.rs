//! The client of qmail-queue: how every program hands a message on.
//!
//! The message goes to descriptor 0 of the queue program and is closed, then the envelope to
//! descriptor 1. The program may say in its own words why it refuses: on descriptor 6 or 4, or the
//! one that `$ERROR_FD` names.

mod program;
mod refusal;
mod server;

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::{env, io};

use qmail_sys::{Exit, Pipe, Spawn, pipe};

use program::Started;
use server::Told;

pub use refusal::Refusal;
pub use server::QueueServer;

/// The queue program where nobody has named another one.
const QUEUE: &str = "bin/qmail-queue";

/// A message on its way to the queue program. If it is dropped unfinished, nothing is queued.
#[derive(Debug)]
pub struct Submission {
    queue: Program,
    message: BufWriter<File>,
    envelope: BufWriter<File>,
    failed: bool,
}

/// Whoever queues the message.
#[derive(Debug)]
enum Program {
    Started(Started),
    Stays(Told),
}

impl Submission {
    /// Starts `$QMAILQUEUE`, or else `bin/qmail-queue`, in `home`.
    ///
    /// # Errors
    /// If there are no pipes or processes left.
    pub fn start(home: &Path) -> io::Result<Self> {
        Self::start_with(home, |spawn| spawn)
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
        let program = env::var_os("QMAILQUEUE").unwrap_or_else(|| QUEUE.into());
        Self::start_prepared(prepare(Spawn::new(program)), home)
    }

    /// As [`Self::start_as`], for one that `$QMAILQUEUE` may name.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_beside(server: &QueueServer, home: &Path) -> io::Result<Self> {
        Self::start_as(env::var_os("QMAILQUEUE"), server, home, |spawn| spawn)
    }

    /// Starts the queue program that is named, and `prepare` sets variables for it. Where none is, a
    /// qmail-queue that stays does what one would that is started.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_as(
        program: Option<OsString>,
        server: &QueueServer,
        home: &Path,
        prepare: impl FnOnce(Spawn<'static>) -> Spawn<'static>,
    ) -> io::Result<Self> {
        if let Some(program) = program {
            return Self::start_prepared(prepare(Spawn::new(program)), home);
        }
        let (message, envelope) = (pipe()?, pipe()?);
        match server.tell(home, &message.read, &envelope.read) {
            Some(told) => Ok(Self::of(Program::Stays(told), message, envelope)),
            None => Self::start_reading(prepare(Spawn::new(QUEUE)), home, message, envelope),
        }
    }

    fn start_prepared(spawn: Spawn<'static>, home: &Path) -> io::Result<Self> {
        Self::start_reading(spawn, home, pipe()?, pipe()?)
    }

    fn start_reading(
        spawn: Spawn<'static>,
        home: &Path,
        message: Pipe,
        envelope: Pipe,
    ) -> io::Result<Self> {
        let started = Started::start(spawn, home, &message.read, &envelope.read)?;
        Ok(Self::of(Program::Started(started), message, envelope))
    }

    fn of(queue: Program, message: Pipe, envelope: Pipe) -> Self {
        Self {
            queue,
            message: BufWriter::new(File::from(message.write)),
            envelope: BufWriter::new(File::from(envelope.write)),
            failed: false,
        }
    }

    /// The number that names the message in logs and replies (`qp`): the process id of the queue
    /// program, or, of one that queues others, too, a number that is no process id.
    pub fn id(&mut self) -> u32 {
        match &mut self.queue {
            Program::Started(started) => started.id(),
            Program::Stays(told) => told.number(),
        }
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
        let Self { queue, message, envelope, failed } = self;
        // Closed before the envelope is sent, since the queue program reads to its end first.
        let flushed = message.into_inner().map(drop).is_ok();
        let sent = if flushed && !failed {
            send_envelope(envelope, sender, recipients).is_ok()
        } else {
            // The queue program sees an envelope that is cut off, and queues nothing.
            drop(envelope);
            false
        };
        let (exit, words) = match queue {
            Program::Started(started) => started.end(),
            Program::Stays(told) => (Ok(told.end()), Vec::new()),
        };
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(home: &Path) -> Submission {
        Submission::start_prepared(Spawn::new("/bin/sh"), home).unwrap()
    }

    /// Sends `script`, from `a@b` to `c@d`, to a shell as the queue program: the message runs.
    fn run(script: &str) -> (Result<(), Refusal>, tempfile::TempDir) {
        let home = tempfile::tempdir().unwrap();
        let mut submission = shell(home.path());
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
        let mut submission = shell(home.path());
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
