//! The session: a command goes in, what to do comes out.

use qmail_wire::command::Command;

use crate::credentials::Credentials;
use crate::replies;

/// What to do after a command.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Say this, and go on.
    Say(&'static str),
    /// Let the subprogram judge, and end.
    LogIn(Credentials),
    /// Say that all is well, and end.
    Quit,
}

/// Everything that is remembered from one command to the next.
#[derive(Debug, Default)]
pub struct Session {
    user: Option<Vec<u8>>,
}

impl Session {
    /// A session at its beginning.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decides what a command means.
    pub fn handle(&mut self, command: &Command) -> Action {
        let argument = command.argument.as_slice();
        match command.verb.as_slice() {
            b"user" => self.user(argument),
            b"pass" => self.pass(argument),
            b"apop" => apop(argument),
            b"noop" => Action::Say(replies::OK),
            b"quit" => Action::Quit,
            _ => Action::Say(replies::WANT_LOGIN),
        }
    }

    fn user(&mut self, name: &[u8]) -> Action {
        if name.is_empty() {
            return Action::Say(replies::SYNTAX);
        }
        self.user = Some(name.to_vec());
        Action::Say(replies::OK)
    }

    fn pass(&self, password: &[u8]) -> Action {
        match &self.user {
            None => Action::Say(replies::WANT_USER),
            Some(_) if password.is_empty() => Action::Say(replies::SYNTAX),
            Some(name) => Action::LogIn(Credentials::new(name, password)),
        }
    }
}

fn apop(argument: &[u8]) -> Action {
    let space = argument.iter().position(|byte| *byte == b' ');
    match space.and_then(|space| Some((argument.get(..space)?, argument.get(space + 1..)?))) {
        Some((name, digest)) => Action::LogIn(Credentials::new(name, digest)),
        None => Action::Say(replies::SYNTAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk(lines: &[&[u8]]) -> Vec<Action> {
        let mut session = Session::new();
        lines.iter().map(|line| session.handle(&Command::parse(line))).collect()
    }

    #[test]
    fn a_name_and_a_password_are_tried() {
        let told = talk(&[b"USER joe", b"user  jane x ", b"PASS  a b \r"]);
        let expected = [
            Action::Say("+OK "),
            Action::Say("+OK "),
            Action::LogIn(Credentials::new(b"jane x ", b"a b ")),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_missing_is_told() {
        let told = talk(&[b"PASS x", b"USER", b"PASS x", b"USER joe", b"PASS", b"PASS \0x"]);
        let expected = [
            "-ERR USER first",
            "-ERR syntax error",
            "-ERR USER first",
            "+OK ",
            "-ERR syntax error",
            "-ERR syntax error",
        ];
        assert_eq!(told, expected.map(Action::Say));
    }

    #[test]
    fn apop_has_both_in_one_line() {
        let told = talk(&[b"APOP", b"APOP joe", b"APOP joe  digest x"]);
        let expected = [
            Action::Say("-ERR syntax error"),
            Action::Say("-ERR syntax error"),
            Action::LogIn(Credentials::new(b"joe", b" digest x")),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn everything_else_has_to_wait() {
        let told = talk(&[b"STAT", b"", b"CAPA", b"NOOP x", b"QUIT"]);
        let wait = || Action::Say("-ERR authorization first");
        assert_eq!(told, [wait(), wait(), wait(), Action::Say("+OK "), Action::Quit]);
    }
}
