//! Verbs beyond those of every session, such as STARTTLS and AUTH: modules that the session asks
//! about commands that it does not know.

use qmail_core::tlsrelay::Carried;
use qmail_wire::command::Command;
use qmail_wire::smtp_server::Reply;

use crate::channel::Descriptors;
use crate::client::{Authentication, Protection};
use crate::replies::UNIMPLEMENTED;
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
    /// Let the extension [prepare](Extension::prepare) for this client, say what it says, and let it
    /// [protect](Extension::protect) the connection.
    Protect,
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

    /// After [`Step::Protect`]: gets everything ready for a client at these descriptors. Returns what
    /// he is told before it begins.
    ///
    /// # Errors
    /// If the connection stays as it is: what to say then.
    fn prepare(&mut self, _visit: &mut Visit, _client: Descriptors<'_>) -> Result<Reply, Reply> {
        Err(UNIMPLEMENTED)
    }

    /// After [`Self::prepare`]: begins.
    ///
    /// # Errors
    /// If client and server cannot agree: what to say, in the clear. The connection is lost then.
    fn protect(&mut self, _visit: &mut Visit) -> Result<(Carried, Protection), Reply> {
        Err(UNIMPLEMENTED)
    }
}
