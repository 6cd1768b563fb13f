//! The loop: reads commands until somebody wants to log in.

use std::io;

use qmail_core::conversation::{Conversation, Line, Lost};
use qmail_core::timed::Timed;
use qmail_wire::command::Command;

use crate::connection::Connection;
use crate::credentials::Secret;
use crate::login::Login;
use crate::policy::Policy;
use crate::replies;
use crate::session::{Action, Session};
use crate::tls::{Ready, Tls};

/// The longest line, in bytes: longer names and passwords than any subprogram takes, in base64 too.
const LONGEST_LINE: usize = 1024;

type Client = Conversation<Timed, Timed>;

/// Everything that a session depends on.
#[derive(Debug)]
pub struct Service {
    /// The subprogram.
    pub login: Login,
    /// The ways to log in.
    pub policy: Policy,
    /// TLS, if it can be had.
    pub tls: Option<Tls>,
    /// Whether TLS comes before everything else.
    pub tls_first: bool,
    /// Whether somebody else does TLS before us.
    pub tls_outside: bool,
}

/// Why there is no session any more; the client cannot be told.
struct Broken;

impl From<Lost> for Broken {
    fn from(_: Lost) -> Self {
        Self
    }
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self
    }
}

/// Serves a client until he has tried to log in, or goes.
pub fn serve(connection: Connection, service: &Service) {
    let mut connection = connection;
    // A client who is gone is told nothing.
    let _ = converse(&mut connection, service);
    connection.end();
}

/// Tells the client that the administrator has made a mistake.
pub fn refuse_usage(connection: &Connection) {
    if let Ok(mut client) = connection.conversation() {
        let _ = last_word(&mut client, replies::USAGE);
    }
}

fn converse(connection: &mut Connection, service: &Service) -> Result<(), Broken> {
    if service.tls_first {
        let tls = service.tls.as_ref().ok_or(Broken)?;
        *connection = tls.start(connection).and_then(Ready::begin).ok_or(Broken)?;
    }
    let secure = service.tls_first || service.tls_outside;
    let challenge = &service.login.challenge;
    let mut session = Session::new(service.policy, challenge, service.tls.is_some(), secure);
    let mut client = connection.conversation()?;
    client.send(&[b"+OK ", challenge.as_slice(), b"\r\n"].concat())?;
    loop {
        match next_action(&mut client, &mut session)? {
            Action::Say(reply) => client.send(format!("{reply}\r\n").as_bytes())?,
            Action::List(lines) => client.send(&lines)?,
            Action::Ask(question) => client.send(&[b"+ ", &*question, b"\r\n"].concat())?,
            Action::StartTls => {
                if let Some(inside) = start_tls(&mut client, connection, service)? {
                    *connection = inside;
                    client = connection.conversation()?;
                    session.secured();
                } else {
                    session.lost_tls();
                }
            }
            Action::Quit => return last_word(&mut client, replies::OK),
            Action::Refuse(reply) => return last_word(&mut client, reply),
            Action::LogIn(credentials) => {
                // The subprogram writes to the same place.
                client.flush()?;
                let left = service.login.attempt(connection, &credentials);
                return left.map_or(Ok(()), |reply| last_word(&mut client, reply));
            }
        }
    }
}

fn next_action(client: &mut Client, session: &mut Session) -> Result<Action, Broken> {
    let line = match client.line(LONGEST_LINE)? {
        Line::Complete(line) => Some(Secret::new(line)),
        Line::TooLong => None,
    };
    if session.awaits_answer() {
        return Ok(session.answer(line.as_ref().map(AsRef::as_ref)));
    }
    Ok(line.map_or(Action::Say(replies::SYNTAX), |line| {
        session.handle(&Command::parse(line.as_ref()))
    }))
}

/// The connection inside TLS; `None` if that cannot be had, and the client has been told.
fn start_tls(
    client: &mut Client,
    connection: &Connection,
    service: &Service,
) -> Result<Option<Connection>, Broken> {
    match service.tls.as_ref().and_then(|tls| tls.start(connection)) {
        Some(ready) => {
            last_word(client, replies::START_TLS)?;
            ready.begin().ok_or(Broken).map(Some)
        }
        None => {
            client.send(format!("{}\r\n", replies::NO_TLS).as_bytes())?;
            Ok(None)
        }
    }
}

fn last_word(client: &mut Client, reply: &str) -> Result<(), Broken> {
    client.send(format!("{reply}\r\n").as_bytes())?;
    Ok(client.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::pipes;
    use std::io::Write;

    /// What a client is told who sends all of `input` at once, the subprogram being a script.
    fn talk(input: &[u8], script: &str) -> String {
        let (connection, mut to, from) = pipes();
        to.write_all(input).unwrap();
        drop(to);
        let login = Login {
            program: "sh".into(),
            arguments: ["-c", script].map(Into::into).to_vec(),
            challenge: b"<1.2@here>".to_vec(),
        };
        let policy = Policy::from_environment(&|_| None);
        let service = Service { login, policy, tls: None, tls_first: false, tls_outside: true };
        serve(connection, &service);
        io::read_to_string(from).unwrap()
    }

    #[test]
    fn a_login_goes_on_with_what_follows_the_password() {
        let input = b"STAT\r\nUSER joe\r\nPASS secret\r\nSTAT\r\nQUIT\r\n";
        let told = talk(input, "cat <&3 | tr '\\0' '|'; cat");
        let expected = "+OK <1.2@here>\r\n-ERR authorization first\r\n+OK \r\n\
                        joe|secret|<1.2@here>|STAT\r\nQUIT\r\n";
        assert_eq!(told, expected);
    }

    #[test]
    fn auth_is_another_way_to_the_same_subprogram() {
        let input = b"AUTH PLAIN\r\nAGpvZQBzZWNyZXQ=\r\nSTAT\r\n";
        let told = talk(input, "cat <&3 | tr '\\0' '|'; cat");
        assert_eq!(told, "+OK <1.2@here>\r\n+ \r\njoe|secret|<1.2@here>|STAT\r\n");
    }

    #[test]
    fn there_is_one_attempt_only() {
        let told = talk(b"APOP joe x\r\nAPOP joe y\r\n", "cat <&3 >/dev/null; exit 1");
        assert_eq!(told, "+OK <1.2@here>\r\n-ERR authorization failed\r\n");
    }

    #[test]
    fn quit_is_answered_and_a_lost_client_is_not() {
        assert_eq!(talk(b"QUIT\r\nNOOP\r\n", ""), "+OK <1.2@here>\r\n+OK \r\n");
        assert_eq!(talk(b"USER joe\r\nPASS x", "echo wrong"), "+OK <1.2@here>\r\n+OK \r\n");
    }

    #[test]
    fn a_long_line_is_a_syntax_error() {
        let input = [b"USER ".as_slice(), &[b'x'; 2000], b"\r\nPASS x\r\n"].concat();
        let expected = "+OK <1.2@here>\r\n-ERR syntax error\r\n-ERR USER first\r\n";
        assert_eq!(talk(&input, "echo wrong"), expected);
    }
}
