//! The session: a command goes in, what to do comes out. It does no input or output.

use qmail_wire::command::Command;
use qmail_wire::pop3::{NumberError, message_number, number_and_count};

use crate::mailbox::{Mailbox, Message};
use crate::replies;

/// What to do after a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Say this line.
    Say(Vec<u8>),
    /// Say these lines.
    Capabilities,
    /// Say that all is well, then this about each message, then a dot.
    List(Listing),
    /// Send the message of this index, with so many lines of its body (`None`: all).
    Send(usize, Option<usize>),
    /// Change the maildir as the client asked, and end.
    Update,
}

/// What is told of each message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// How many bytes it has.
    Sizes,
    /// Its unique id.
    Ids,
}

/// Everything that is remembered from one command to the next.
#[derive(Debug)]
pub(crate) struct Session {
    mailbox: Mailbox,
    /// The highest number that was named in RETR, TOP or DELE.
    last: usize,
}

impl Session {
    /// A session at its beginning.
    pub(crate) fn new(mailbox: Mailbox) -> Self {
        Self { mailbox, last: 0 }
    }

    /// The messages.
    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The messages, to note where they are.
    pub(crate) fn mailbox_mut(&mut self) -> &mut Mailbox {
        &mut self.mailbox
    }

    /// The messages whose [size](Mailbox::measure) has to be known before [`Self::handle`].
    pub(crate) fn wants_sizes(&self, command: &Command) -> Vec<usize> {
        let named = message_number(&command.argument).ok();
        match (command.verb.as_slice(), named) {
            (b"stat", _) => self.mailbox.unmeasured(),
            (b"list", None) if command.argument.is_empty() => self.mailbox.unmeasured(),
            (b"list", Some(index))
                if self.mailbox.get(index).is_some_and(|message| !message.is_measured()) =>
            {
                vec![index]
            }
            _ => Vec::new(),
        }
    }

    /// Notes the size of a message.
    pub(crate) fn measure(&mut self, index: usize, size: Option<u64>) {
        self.mailbox.measure(index, size);
    }

    /// Decides what a command means.
    pub(crate) fn handle(&mut self, command: &Command) -> Action {
        let argument = command.argument.as_slice();
        let decided = match command.verb.as_slice() {
            b"stat" => Ok(Action::Say(self.stat())),
            b"list" => self.list(argument, Listing::Sizes),
            b"uidl" => self.list(argument, Listing::Ids),
            b"retr" => self.access(argument).map(|index| Action::Send(index, None)),
            b"top" => self.top(argument),
            b"dele" => self.delete(argument),
            b"rset" => {
                self.mailbox.undelete();
                self.last = 0;
                Ok(say(replies::OK))
            }
            b"last" => Ok(Action::Say(format!("+OK {}", self.last).into_bytes())),
            b"noop" => Ok(say(replies::OK)),
            b"capa" => Ok(Action::Capabilities),
            b"quit" => Ok(Action::Update),
            _ => Err(replies::UNIMPLEMENTED),
        };
        decided.unwrap_or_else(say)
    }

    /// The line of a listing for the message of this index.
    pub(crate) fn line(&self, index: usize, listing: Listing) -> Vec<u8> {
        let Some(message) = self.mailbox.get(index) else { return Vec::new() };
        let number = index + 1;
        match listing {
            Listing::Sizes => format!("{number} {}", message.size()).into_bytes(),
            Listing::Ids => [format!("{number} ").as_bytes(), message.id()].concat(),
        }
    }

    fn stat(&self) -> Vec<u8> {
        let count = self.mailbox.present().count();
        let add = |size: u64, (_, message): (_, &Message)| size.saturating_add(message.size());
        let size = self.mailbox.present().fold(0, add);
        format!("+OK {count} {size}").into_bytes()
    }

    fn list(&self, argument: &[u8], listing: Listing) -> Result<Action, &'static str> {
        if argument.is_empty() {
            return Ok(Action::List(listing));
        }
        let index = self.existing(message_number(argument))?;
        Ok(Action::Say([b"+OK ", self.line(index, listing).as_slice()].concat()))
    }

    fn top(&mut self, argument: &[u8]) -> Result<Action, &'static str> {
        let index = self.access(argument)?;
        let (_, lines) = number_and_count(argument).map_err(|_| replies::SYNTAX)?;
        Ok(Action::Send(index, Some(lines)))
    }

    fn delete(&mut self, argument: &[u8]) -> Result<Action, &'static str> {
        let index = self.access(argument)?;
        self.mailbox.delete(index);
        Ok(say(replies::OK))
    }

    /// The index that the argument of a command names which counts for LAST.
    fn access(&mut self, argument: &[u8]) -> Result<usize, &'static str> {
        let index = self.existing(message_number(argument))?;
        self.last = self.last.max(index + 1);
        Ok(index)
    }

    fn existing(&self, index: Result<usize, NumberError>) -> Result<usize, &'static str> {
        let index = index.map_err(|error| match error {
            NumberError::Syntax => replies::SYNTAX,
            NumberError::Zero => replies::FROM_ONE,
        })?;
        match self.mailbox.get(index) {
            None => Err(replies::NO_SUCH),
            Some(message) if message.is_deleted() => Err(replies::DELETED),
            Some(_) => Ok(index),
        }
    }
}

fn say(line: &str) -> Action {
    Action::Say(line.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        let message = |(number, size): (i64, u64)| {
            Message::new(format!("new/{number}.x").into_bytes().into(), size, number)
        };
        Session::new(Mailbox::new([(1, 10), (2, 20), (3, 30)].map(message).into()))
    }

    /// What the client sees; `->` before what is not a line.
    fn talk(lines: &[&str]) -> Vec<String> {
        let mut session = session();
        let mut told = Vec::new();
        for line in lines {
            match session.handle(&Command::parse(line.as_bytes())) {
                Action::Say(line) => told.push(String::from_utf8(line).unwrap()),
                Action::List(listing) => {
                    let indices: Vec<usize> =
                        session.mailbox().present().map(|(index, _)| index).collect();
                    let lines = indices.iter().map(|index| session.line(*index, listing));
                    told.extend(lines.map(|line| String::from_utf8(line).unwrap()));
                }
                action => told.push(format!("-> {action:?}")),
            }
        }
        told
    }

    #[test]
    fn messages_are_counted_and_listed() {
        assert_eq!(talk(&["STAT"]), ["+OK 3 60"]);
        assert_eq!(talk(&["LIST"]), ["1 10", "2 20", "3 30"]);
        assert_eq!(talk(&["uidl"]), ["1 1.x", "2 2.x", "3 3.x"]);
        assert_eq!(talk(&["LIST 2 x", "UIDL 3"]), ["+OK 2 20", "+OK 3 3.x"]);
    }

    #[test]
    fn sizes_are_wanted_where_they_are_told_and_once() {
        let mut session = session();
        let wanted =
            |session: &Session, line: &str| session.wants_sizes(&Command::parse(line.as_bytes()));
        assert_eq!(wanted(&session, "LIST 2"), [1]);
        session.measure(1, Some(99));
        assert_eq!((wanted(&session, "STAT"), wanted(&session, "LIST")), (vec![0, 2], vec![0, 2]));
        for line in ["LIST 2", "LIST 9", "LIST x", "UIDL", "RETR 1", "TOP 1 0"] {
            assert_eq!(wanted(&session, line), [0; 0], "{line}");
        }
    }

    #[test]
    fn deleted_messages_are_in_no_list_until_rset() {
        let told = talk(&["DELE 2", "STAT", "LIST", "UIDL", "DELE 2", "RETR 2", "RSET", "STAT"]);
        let expected = [
            "+OK ",
            "+OK 2 40",
            "1 10",
            "3 30",
            "1 1.x",
            "3 3.x",
            "-ERR already deleted",
            "-ERR already deleted",
            "+OK ",
            "+OK 3 60",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn bad_numbers_are_told_apart() {
        for verb in ["LIST", "UIDL", "RETR", "DELE", "TOP"] {
            let told = talk(&[
                &format!("{verb} x"),
                &format!("{verb} 0 1"),
                &format!("{verb} 4 1"),
                &format!("{verb} 18446744073709551617 1"),
            ]);
            let expected = [
                "-ERR syntax error",
                "-ERR messages are counted from 1",
                "-ERR not that many messages",
                "-ERR not that many messages",
            ];
            assert_eq!(told, expected, "{verb}");
        }
        assert_eq!(talk(&["RETR", "DELE", "TOP"]), ["-ERR syntax error"; 3]);
    }

    #[test]
    fn retr_sends_everything_and_top_wants_a_count() {
        let told = talk(&["RETR 1 5", "TOP 2 5", "TOP 2"]);
        assert_eq!(told, ["-> Send(0, None)", "-> Send(1, Some(5))", "-ERR syntax error"]);
    }

    #[test]
    fn last_is_the_highest_number_accessed() {
        let told =
            talk(&["LAST", "RETR 2", "LIST 3", "RETR 1", "LAST", "DELE 3", "LAST", "RSET", "LAST"]);
        let lasts: Vec<_> = [0, 4, 6, 8].iter().map(|at| told[*at].as_str()).collect();
        assert_eq!(lasts, ["+OK 0", "+OK 2", "+OK 3", "+OK 0"]);
    }

    #[test]
    fn other_commands_are_unimplemented() {
        assert_eq!(talk(&["AUTH", "", "USER x"]), ["-ERR unimplemented"; 3]);
        assert_eq!(talk(&["CAPA"]), ["-> Capabilities"]);
        assert_eq!(talk(&["NOOP x", "QUIT"]), ["+OK ", "-> Update"]);
    }
}
