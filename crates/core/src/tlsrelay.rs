//! The way to qmail-tlsrelay, which carries a session over TLS: the session and its program know
//! nothing of keys and certificates, and what strangers send in a handshake is taken apart by a
//! process that has nothing else.
//!
//! It is started when a client asks for TLS, [reports](qmail_wire::tlsrelay) whether it is able to,
//! and waits for the session to say that the handshake may begin.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use qmail_sys::{Child, Identity, Spawn, effective_uid};
use qmail_wire::tlsrelay::{BEGIN, Failure, Handshake, Preparation, Report, Secured};

use crate::accounts::{Accounts, Group, Role};
use crate::errno;

/// Where it has the session.
const PLAIN: u8 = 3;
/// How long it may take to read certificates.
const PATIENCE: Duration = Duration::from_secs(60);
/// Why there is no TLS, as clients hear it, if nobody has said why.
const NO_REPORT: &str = "qmail-tlsrelay does not work";

/// The program, and what it is told.
#[derive(Clone, Debug)]
pub struct TlsRelay {
    home: PathBuf,
    asks_clients: bool,
    patience: Option<Duration>,
}

/// A process that is able to speak TLS, and waits. If it is dropped, that process ends, and nothing
/// has been said to the client.
#[derive(Debug)]
pub struct Waiting {
    // Dropped before the process, which ends when this has gone.
    plain: UnixStream,
    process: Process,
}

/// A client behind TLS.
#[derive(Debug)]
pub struct Carried {
    by: Waiting,
    /// What was agreed upon.
    pub secured: Secured,
}

/// The process that carries a session. Dropping it waits until the client has been told everything,
/// so the descriptors of [`Carried::into_parts`] have to be closed before.
#[derive(Debug)]
pub struct Process(Option<Child>);

impl TlsRelay {
    /// For the tree at `home`.
    pub fn new(home: &Path) -> Self {
        Self { home: home.to_owned(), asks_clients: false, patience: None }
    }

    /// Asks clients for a certificate, if the tree has a file that says whose count.
    #[must_use]
    pub fn asking_clients(self) -> Self {
        Self { asks_clients: true, ..self }
    }

    /// Does not wait longer than this for a client; in whole seconds.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience: Some(patience), ..self }
    }

    /// Starts it for this client. Nothing is said to him before [`Waiting::begin`].
    ///
    /// If there is no TLS to be had, the outcome is the reason, in words for the client.
    pub fn start(&self, input: BorrowedFd<'_>, output: BorrowedFd<'_>) -> Report<Waiting, String> {
        match self.run(input, output) {
            Ok((waiting, Preparation { notes, outcome })) => {
                Report { notes, outcome: outcome.map(|()| waiting) }
            }
            Err(error) => {
                let note = format!("{} does not work: {error}", self.program().display());
                Report { notes: vec![note], outcome: Err(NO_REPORT.into()) }
            }
        }
    }

    fn program(&self) -> PathBuf {
        self.home.join("bin/qmail-tlsrelay")
    }

    fn run(
        &self,
        input: BorrowedFd<'_>,
        output: BorrowedFd<'_>,
    ) -> Result<(Waiting, Preparation), Broken> {
        let program = self.program();
        // A child that cannot become the program can only say that by its end.
        std::fs::metadata(&program)?;
        let (mut plain, other) = UnixStream::pair()?;
        let spawn = Spawn::new(&program)
            .args(self.asks_clients.then_some("-c"))
            .args(self.patience.map(|patience| format!("-t{}", patience.as_secs())))
            .connect(0, input)
            .connect(1, output)
            .connect(PLAIN, other.as_fd());
        let spawn = match self.identity()? {
            Some(identity) => spawn.as_user(identity),
            None => spawn,
        };
        let process = Process(Some(spawn.start()?));
        drop(other);
        plain.set_read_timeout(Some(PATIENCE))?;
        let report = process.outlive(Preparation::read(&mut plain))?;
        plain.set_read_timeout(None)?;
        Ok((Waiting { plain, process }, report))
    }

    /// Who takes what comes from the network, and owns no files; `None` if we are no more than that.
    fn identity(&self) -> io::Result<Option<Identity>> {
        if effective_uid() != 0 {
            return Ok(None);
        }
        let accounts = Accounts::load(&self.home).map_err(io::Error::other)?;
        let identity = accounts.identity(Role::Daemon, Group::NoFiles);
        identity.ok_or_else(|| ErrorKind::PermissionDenied.into()).map(Some)
    }
}

impl Waiting {
    /// Lets the handshake begin, and waits for its end.
    pub fn begin(mut self) -> Report<Carried, Failure> {
        let reported = self.plain.write_all(&BEGIN).and_then(|()| Handshake::read(&mut self.plain));
        match self.process.outlive(reported) {
            Ok(Handshake { notes, outcome }) => {
                Report { notes, outcome: outcome.map(|secured| Carried { by: self, secured }) }
            }
            Err(error) => {
                let note = format!("qmail-tlsrelay does not work: {error}");
                Report { notes: vec![note], outcome: Err(Failure::Reason(NO_REPORT.into())) }
            }
        }
    }
}

impl Carried {
    /// Where the client is heard, where he is told something, and the process in between.
    ///
    /// # Errors
    /// If there are no descriptors left.
    pub fn into_parts(self) -> io::Result<(OwnedFd, OwnedFd, Process)> {
        let Waiting { plain, process } = self.by;
        let input = plain.try_clone()?;
        Ok((input.into(), plain.into(), process))
    }
}

impl Process {
    /// What it reported. If that makes no sense, it is not to go on with the client, nor may it make
    /// anybody wait.
    fn outlive<T>(&self, report: io::Result<T>) -> Result<T, Broken> {
        report.map_err(|error| {
            if let Some(child) = &self.0 {
                // It may have ended.
                let _ = child.kill();
            }
            Broken(error)
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = self.0.take() {
            // How it ended makes no difference to anybody.
            let _ = child.wait();
        }
    }
}

/// Why there is no report.
struct Broken(io::Error);

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.kind() {
            ErrorKind::UnexpectedEof => formatter.write_str("it ended without a report"),
            // What a read says whose time is over.
            ErrorKind::WouldBlock => formatter.write_str("it does not report"),
            _ if self.0.raw_os_error().is_none() => write!(formatter, "{}", self.0),
            _ => formatter.write_str(errno::text(&self.0)),
        }
    }
}

#[cfg(test)]
mod tests;
