//! What is started for a connection.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use qmail_forkserver::Starter;
use qmail_sys::Spawn;

use crate::environment::Changes;

/// A connection that is to be served.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// The connection itself.
    pub socket: OwnedFd,
    /// What is different for its program in our environment.
    pub changes: Changes,
}

/// A session that has begun.
#[derive(Debug)]
pub(crate) struct Session {
    /// The process that serves it, a child of ours: its end is the end of the session.
    pub process: u32,
    /// Why it will serve nothing.
    pub failure: Option<io::Error>,
}

/// Whatever can begin a session for a connection, without waiting for anybody.
pub(crate) trait Sessions {
    /// Begins one.
    ///
    /// # Errors
    /// If there is no process for it. The connection is closed then.
    fn start(&mut self, connection: Accepted) -> io::Result<Session>;

    /// A session has ended, killed by a signal or not.
    fn ended(&mut self, was_killed: bool);
}

/// Copies of a program that can stay, one for each connection; where it cannot, the program.
#[derive(Debug)]
pub(crate) struct Copies {
    programs: Programs,
    starter: Starter,
}

impl Copies {
    /// Of this program.
    pub(crate) fn of(programs: Programs) -> Self {
        Self { programs, starter: Starter::new() }
    }
}

impl Sessions for Copies {
    fn start(&mut self, connection: Accepted) -> io::Result<Session> {
        let Accepted { socket, changes } = connection;
        let spawn = self.programs.spawn(&socket, changes);
        if let Some(copy) = self.starter.copy(&spawn) {
            return Ok(Session { process: copy?.id(), failure: None });
        }
        let started = spawn.start_telling()?;
        Ok(Session { process: started.child.id(), failure: started.failure })
    }

    fn ended(&mut self, was_killed: bool) {
        self.starter.ended(was_killed);
    }
}

/// A program that is started for each connection, with the connection as descriptors 0 and 1.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    program: OsString,
    arguments: Vec<OsString>,
}

impl Programs {
    /// This one, looked for in `$PATH` unless its name has a slash.
    pub(crate) fn new(program: &OsStr, arguments: &[OsString]) -> Self {
        Self { program: program.to_owned(), arguments: arguments.to_vec() }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &OsStr {
        &self.program
    }

    /// Becomes the program in this process; comes back only if that fails.
    pub(crate) fn replace(&self, connection: Accepted) -> io::Error {
        let Accepted { socket, changes } = connection;
        match self.spawn(&socket, changes).replace() {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }

    fn spawn<'fd>(&self, socket: &'fd OwnedFd, changes: Changes) -> Spawn<'fd> {
        let program = Spawn::search(&self.program).args(&self.arguments).changes(changes);
        program.connect(0, socket.as_fd()).connect(1, socket.as_fd())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    fn session(program: &str, words: &[&str]) -> (Session, String) {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let (ours, mut client) = UnixStream::pair().unwrap();
        let changes = vec![(b"A".to_vec(), Some(b"b".to_vec())), (b"PATH".to_vec(), None)];
        let connection = Accepted { socket: ours.into(), changes };
        let programs = Programs::new(OsStr::new(program), &words);
        let session = Copies::of(programs).start(connection).unwrap();
        let mut said = String::new();
        client.read_to_string(&mut said).unwrap();
        (session, said)
    }

    #[test]
    fn a_program_speaks_on_the_connection_and_knows_what_is_different() {
        let (session, said) = session("sh", &["-c", "echo $A-${PATH+path} >&0"]);
        assert!(session.failure.is_none() && session.process > 1);
        // The shell has a path of its own without ours.
        assert!(said.starts_with("b-"), "{said}");
    }

    #[test]
    fn a_program_that_is_not_there_closes_the_connection() {
        let (session, said) = session("/nonexistent/program", &[]);
        assert_eq!(session.failure.unwrap().kind(), io::ErrorKind::NotFound);
        assert_eq!(said, "");
    }
}
