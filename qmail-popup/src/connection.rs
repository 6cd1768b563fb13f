//! Where the client is.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use qmail_core::conversation::Conversation;
use qmail_core::timed::Timed;
use qmail_core::tlsrelay::Process;

/// How long a client may say nothing, or not listen.
const PATIENCE: Duration = Duration::from_secs(1200);

/// Both directions, and who stands between.
#[derive(Debug)]
pub struct Connection {
    /// What the client says.
    pub input: OwnedFd,
    /// What it is told.
    pub output: OwnedFd,
    /// Carries both in TLS.
    pub(crate) relay: Option<Process>,
}

impl Connection {
    /// Straight to the client.
    pub fn new(input: OwnedFd, output: OwnedFd) -> Self {
        Self { input, output, relay: None }
    }

    /// A conversation over it. What comes behind the password is for the subprogram, and what
    /// comes behind STLS for the relay: it must stay unread.
    pub(crate) fn conversation(&self) -> io::Result<Conversation<Timed, Timed>> {
        let (input, output) = (self.input.try_clone()?, self.output.try_clone()?);
        Ok(Conversation::new(Timed::new(input, PATIENCE), Timed::new(output, PATIENCE), 1))
    }

    /// Waits until the client has been told everything.
    pub(crate) fn end(self) {
        drop((self.input, self.output));
        drop(self.relay);
    }
}

/// A connection, and the client's ends of it.
#[cfg(test)]
pub(crate) fn pipes() -> (Connection, std::fs::File, std::fs::File) {
    let (to, from) = (qmail_sys::pipe().unwrap(), qmail_sys::pipe().unwrap());
    (Connection::new(to.read, from.write), to.write.into(), from.read.into())
}
