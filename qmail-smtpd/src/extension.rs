//! Verbs beyond those of every session, such as STARTTLS and AUTH: modules that the session asks
//! about commands that it does not know.

use std::io;

use qmail_wire::command::Command;
use qmail_wire::smtp_server::Reply;

use crate::channel::Duplex;
use crate::client::{Authentication, Protection};
use crate::visit::Visit;

/// What is to be done after a line that was for an extension.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Say this: the command is done.
    Say(Reply),
    /// Say this; the next line of the client is the [answer](Extension::answer), not a command.
    Ask(Reply),
    /// The user has shown who he is. If no check objects, say this.
    Authenticated(Authentication, Reply),
    /// Say this, and let the extension [protect](Extension::protect) the connection.
    Protect(Reply),
    /// Say this and end.
    Disconnect(Reply),
}

/// One or more verbs, with what EHLO says about them.
pub trait Extension {
    /// Its lines in the reply to EHLO, if it is on offer now.
    fn keywords(&self, _visit: &Visit) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// A command that the session does not know; `None` if it is not for this extension.
    fn command(&mut self, visit: &mut Visit, command: &Command) -> Option<Step>;

    /// What the client says after [`Step::Ask`]: a line without its LF.
    fn answer(&mut self, visit: &mut Visit, line: &[u8]) -> Step;

    /// After [`Step::Protect`]: wraps the connection.
    ///
    /// # Errors
    /// If client and server cannot agree. The connection is lost then.
    fn protect<'a>(
        &mut self,
        _visit: &mut Visit,
        _plain: Duplex<'a>,
    ) -> io::Result<(Duplex<'a>, Protection)> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
