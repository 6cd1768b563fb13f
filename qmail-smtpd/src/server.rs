//! The loop: reads lines, asks the session, and does what it says.

use std::path::{Path, PathBuf};

use qmail_core::control::Map;
use qmail_core::conversation::{Line, Lost};
use qmail_core::submit::QueueServer;
use qmail_wire::smtp_server::Reply;

use crate::broken::Broken;
use crate::channel::Connection;
use crate::elaborate::elaborate;
use crate::greet_delay::GreetDelay;
use crate::journal::End;
use crate::message::Receiver;
use crate::replies;
use crate::session::{Action, Session};
use crate::settings::Settings;

/// The longest line, in bytes: an address of any length and many parameters.
const LONGEST_LINE: usize = 4096;

/// How the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client said goodbye.
    Quit,
    /// In any other way.
    Otherwise,
}

/// What a session needs of the world.
pub struct World<'a> {
    /// The home directory of qmail.
    pub home: &'a Path,
    /// Whom messages are told for which no queue program is named.
    pub queue: &'a QueueServer,
    /// The seconds since 1970.
    pub now: fn() -> u64,
    /// Writes a line to the log.
    pub log: &'a dyn Fn(&[u8]),
}

/// Serves a client until the connection ends.
pub(crate) fn serve(connection: Connection, settings: Settings, world: &World<'_>) -> Ended {
    let limit = settings.manners.largest_message;
    let Settings { manners, visit, checks, extensions, journals, signatures, texts, .. } = settings;
    let delay = settings.greet_delay.filter(|_| !visit.may_relay());
    let session = Session::new(manners, visit, checks, extensions, journals);
    let mut server = Server { connection, session, limit, signatures, texts, world };
    let result = server.converse(delay);
    server.note_end(&result);
    server.write_notes();
    let mut connection = server.connection;
    match result {
        Ok(()) => Ended::Quit,
        Err(Broken::Lost(Lost::Gone)) => Ended::Otherwise,
        Err(Broken::Lost(Lost::Silent)) => refuse(&mut connection, &replies::TIMEOUT),
        Err(Broken::BareLineEnd) => refuse(&mut connection, &replies::BARE_LINE_END),
        Err(Broken::Disconnected(reply)) => refuse(&mut connection, &reply),
    }
}

/// Says why there is nothing to be had here, and ends.
pub fn refuse(connection: &mut Connection, reply: &Reply) -> Ended {
    let client = connection.conversation();
    // Who does not listen is lost in any case.
    let _ = client.send(&reply.to_wire()).and_then(|()| client.flush());
    Ended::Otherwise
}

struct Server<'w> {
    connection: Connection,
    session: Session,
    limit: Option<u64>,
    signatures: Option<PathBuf>,
    texts: Map,
    world: &'w World<'w>,
}

impl Server<'_> {
    /// Goes on until QUIT.
    fn converse(&mut self, delay: Option<GreetDelay>) -> Result<(), Broken> {
        let greeting = self.session.greet();
        if let Some(delay) = delay {
            delay.keep(&mut self.connection, self.session.visit())?;
        }
        if let Some(greeting) = greeting
            && self.perform(greeting)?.is_end()
        {
            return Ok(());
        }
        loop {
            let action = match self.connection.conversation().line(LONGEST_LINE)? {
                Line::Complete(line) => self.session.handle(&line),
                Line::TooLong => self.session.line_too_long(),
            };
            if self.perform(action)?.is_end() {
                return Ok(());
            }
        }
    }

    fn perform(&mut self, action: Action) -> Result<Next, Broken> {
        self.write_notes();
        let pause = self.session.visit().take_pause();
        self.connection.pause(pause)?;
        for line in self.session.visit().take_words() {
            self.say(&Reply::verbatim(line))?;
        }
        match action {
            Action::Say(reply) => self.say(&reply)?,
            Action::Receive(transaction) => {
                let signatures = self.signatures.as_deref();
                let (world, limit, texts) = (self.world, self.limit, &self.texts);
                let receiver = Receiver { world, limit, signatures, texts };
                let visit = self.session.visit();
                let end = receiver.receive(self.connection.conversation(), visit, &transaction)?;
                self.session.concluded(&transaction, &end);
                self.write_notes();
                let reply = elaborate(end.reply, &self.session.visit().variables);
                self.say(&reply)?;
            }
            Action::Protect => self.protect()?,
            Action::Disconnect(reply) => return Err(Broken::Disconnected(reply)),
            Action::HangUp => return Err(Broken::Lost(Lost::Gone)),
            Action::Quit(reply) => {
                self.say(&reply)?;
                self.connection.conversation().flush()?;
                return Ok(Next::End);
            }
        }
        Ok(Next::Line)
    }

    fn say(&mut self, reply: &Reply) -> Result<(), Broken> {
        Ok(self.connection.conversation().send(&reply.to_wire())?)
    }

    fn protect(&mut self) -> Result<(), Broken> {
        let ready = self.session.prepare(self.connection.descriptors());
        self.write_notes();
        match ready {
            Err(reply) => self.say(&reply),
            Ok(reply) => {
                self.say(&reply)?;
                let protection = self.connection.protect(|| self.session.protect())?;
                self.session.protected(protection);
                Ok(())
            }
        }
    }

    fn note_end(&mut self, result: &Result<(), Broken>) {
        let end = match result {
            Err(Broken::Lost(Lost::Gone)) => End::ReadFailed,
            Err(Broken::Lost(Lost::Silent)) => End::Timeout,
            Err(Broken::BareLineEnd) => End::BadNewlines,
            Ok(()) | Err(Broken::Disconnected(_)) => return,
        };
        self.session.ended(end);
    }

    fn write_notes(&mut self) {
        for line in self.session.visit().take_notes() {
            (self.world.log)(&line);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Line,
    End,
}

impl Next {
    fn is_end(self) -> bool {
        self == Self::End
    }
}

#[cfg(test)]
mod tests;
