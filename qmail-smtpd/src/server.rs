//! The loop: reads commands, asks the session, and does what it says.

use std::io::{Read, Write};
use std::path::Path;

use qmail_core::conversation::{Conversation, Line, Lost};
use qmail_wire::command::Command;
use qmail_wire::smtp_server::Reply;

use crate::broken::Broken;
use crate::message::Receiver;
use crate::replies;
use crate::session::{Action, Session};
use crate::settings::Settings;

/// The longest command line, in bytes: an address of any length and many parameters.
const LONGEST_LINE: usize = 4096;

/// How the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client said goodbye.
    Quit,
    /// In any other way.
    Otherwise,
}

/// Serves a client until the connection ends. `now` tells the seconds since 1970.
pub fn serve<R: Read, W: Write>(
    client: &mut Conversation<R, W>,
    settings: Settings,
    home: &Path,
    now: fn() -> u64,
) -> Ended {
    let largest = settings.largest_message;
    let mut session =
        Session::new(settings.greeting, settings.literal_host, settings.client, settings.checks);
    let receiver = |session: &Session| Receiver {
        home,
        received: session.client().received(now()),
        largest,
        now,
    };
    match converse(client, &mut session, &receiver) {
        Ok(()) => Ended::Quit,
        Err(Broken::Lost(Lost::Gone)) => Ended::Otherwise,
        Err(Broken::Lost(Lost::Silent)) => refuse(client, &replies::TIMEOUT),
        Err(Broken::BareLineEnd) => refuse(client, &replies::BARE_LINE_END),
        Err(Broken::Disconnected(reply)) => refuse(client, &reply),
    }
}

/// Says why there is nothing to be had here, and ends.
pub fn refuse<R: Read, W: Write>(client: &mut Conversation<R, W>, reply: &Reply) -> Ended {
    // Who does not listen is lost in any case.
    let _ = client.send(&reply.to_wire()).and_then(|()| client.flush());
    Ended::Otherwise
}

/// Goes on until QUIT.
fn converse<'a, R: Read, W: Write>(
    client: &mut Conversation<R, W>,
    session: &mut Session,
    receiver: &dyn Fn(&Session) -> Receiver<'a>,
) -> Result<(), Broken> {
    client.send(&session.greet().to_wire())?;
    loop {
        let action = match client.line(LONGEST_LINE)? {
            Line::Complete(line) => session.handle(&Command::parse(&line)),
            Line::TooLong => Action::Say(replies::LINE_TOO_LONG),
        };
        let reply = match action {
            Action::Say(reply) => reply,
            Action::Receive(transaction) => receiver(session).receive(client, &transaction)?,
            Action::Disconnect(reply) => return Err(Broken::Disconnected(reply)),
            Action::Quit(reply) => {
                client.send(&reply.to_wire())?;
                return Ok(client.flush()?);
            }
        };
        client.send(&reply.to_wire())?;
    }
}

#[cfg(test)]
mod tests;
