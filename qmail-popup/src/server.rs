//! The loop: reads commands until somebody wants to log in.

use std::io::{Read, Write};

use qmail_core::conversation::{Conversation, Line, Lost};
use qmail_wire::command::Command;

use crate::credentials::Secret;
use crate::login::Login;
use crate::replies;
use crate::session::{Action, Session};

/// The longest command line, in bytes: longer names and passwords than any subprogram takes.
const LONGEST_LINE: usize = 1024;

/// Serves a client until he has tried to log in, or goes.
pub fn serve<R: Read, W: Write>(client: &mut Conversation<R, W>, login: &Login) {
    // A client who is gone is told nothing.
    let _ = converse(client, login);
}

/// Tells the client that the administrator has made a mistake.
pub fn refuse_usage<R: Read, W: Write>(client: &mut Conversation<R, W>) {
    let _ = last_word(client, replies::USAGE);
}

fn converse<R: Read, W: Write>(client: &mut Conversation<R, W>, login: &Login) -> Result<(), Lost> {
    client.send(&[b"+OK ", login.challenge.as_slice(), b"\r\n"].concat())?;
    let mut session = Session::new();
    loop {
        let action = match client.line(LONGEST_LINE)? {
            Line::Complete(line) => session.handle(&Command::parse(Secret::new(line).as_ref())),
            Line::TooLong => Action::Say(replies::SYNTAX),
        };
        match action {
            Action::Say(reply) => client.send(format!("{reply}\r\n").as_bytes())?,
            Action::Quit => return last_word(client, replies::OK),
            Action::LogIn(credentials) => {
                // The subprogram writes to the same place.
                client.flush()?;
                let left = login.attempt(&credentials);
                return left.map_or(Ok(()), |reply| last_word(client, reply));
            }
        }
    }
}

fn last_word<R: Read, W: Write>(client: &mut Conversation<R, W>, reply: &str) -> Result<(), Lost> {
    client.send(format!("{reply}\r\n").as_bytes())?;
    client.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io;
    use std::os::fd::OwnedFd;

    struct Client {
        input: File,
        output: File,
    }

    /// What a client is told who sends all of `input` at once, the subprogram being a script.
    fn talk(input: &[u8], script: &str) -> String {
        let (to, from) = (qmail_sys::pipe().unwrap(), qmail_sys::pipe().unwrap());
        File::from(to.write).write_all(input).unwrap();
        let client = Client { input: to.read.into(), output: from.write.into() };
        run(&client, script).unwrap();
        drop(client);
        io::read_to_string(File::from(from.read)).unwrap()
    }

    fn run(client: &Client, script: &str) -> io::Result<()> {
        let descriptor = |file: &File| Ok::<_, io::Error>(OwnedFd::from(file.try_clone()?));
        let login = Login {
            program: "sh".into(),
            arguments: ["-c", script].map(Into::into).to_vec(),
            input: descriptor(&client.input)?,
            output: descriptor(&client.output)?,
            challenge: b"<1.2@here>".to_vec(),
        };
        let (input, output) = (client.input.try_clone()?, client.output.try_clone()?);
        serve(&mut Conversation::new(input, output, 1), &login);
        Ok(())
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
