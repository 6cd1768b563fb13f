//! Names, which a program of its own asks name servers for: what is in their answers is taken apart
//! where nothing else is.

use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use qmail_core::accounts::{Accounts, Group, Role};
use qmail_sys::{Exit, Identity, Spawn, effective_uid};

use crate::address::Families;
use crate::options::Belief;

/// More than any name has, escaped as it may be.
const LONGEST_ANSWER: u64 = 4096;

/// What tcp-name exits with if there is no such name or address.
const NONE: u8 = 100;

/// How names are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    program: PathBuf,
    asker: Asker,
}

/// Whom the program runs as that asks.
#[derive(Clone, Copy, Debug)]
enum Asker {
    /// As we do.
    Ourselves,
    /// Somebody else, since we are root.
    Other(Identity),
    /// Nobody: we are root, and do not know anybody else.
    Nobody,
}

impl Names {
    /// By the tcp-name of this tree, and never as root.
    pub(crate) fn of_this_tree() -> Self {
        let home = qmail_core::home::home();
        let asker = if effective_uid() == 0 { other(&home) } else { Asker::Ourselves };
        Self { program: home.join("bin/tcp-name"), asker }
    }

    /// The name of an address; `None` if it has none that is believed.
    ///
    /// # Errors
    /// If nobody can tell, or nobody can be asked.
    pub(crate) fn name(&self, address: IpAddr, belief: Belief) -> io::Result<Option<Vec<u8>>> {
        let program = match belief {
            Belief::Any => self.program()?,
            Belief::Confirmed => self.program()?.arg("-p"),
        };
        answer(program.arg(address.to_string()))
    }

    /// The first address of a host; `None` if it has none.
    ///
    /// # Errors
    /// If nobody can tell, or nobody can be asked.
    pub(crate) fn address(&self, host: &[u8], families: Families) -> io::Result<Option<IpAddr>> {
        let option = match families {
            Families::Any => "-46",
            Families::Older => "-4",
            Families::Newer => "-6",
        };
        let found = answer(self.program()?.args([option, "--"]).arg_bytes(host))?;
        Ok(found.and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok()))
    }

    fn program(&self) -> io::Result<Spawn<'static>> {
        let program = Spawn::new(&self.program);
        match self.asker {
            Asker::Ourselves => Ok(program),
            Asker::Other(identity) => Ok(program.as_user(identity)),
            Asker::Nobody => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }
}

/// The account of this tree that has to do with the network.
fn other(home: &Path) -> Asker {
    let accounts = Accounts::load(home).ok();
    let identity = accounts.and_then(|known| known.identity(Role::Daemon, Group::NoFiles));
    identity.map_or(Asker::Nobody, Asker::Other)
}

/// The first line that a program writes.
fn answer(program: Spawn<'_>) -> io::Result<Option<Vec<u8>>> {
    let pipe = qmail_sys::pipe()?;
    let started = program.connect(1, pipe.write.as_fd()).start_telling()?;
    drop(pipe.write);
    let mut text = Vec::new();
    let read = File::from(pipe.read).take(LONGEST_ANSWER).read_to_end(&mut text);
    let exit = started.child.wait()?;
    if let Some(failure) = started.failure {
        return Err(failure);
    }
    read?;
    match exit {
        Exit::Code(0) => Ok(text.split(|byte| *byte == b'\n').next().map(<[u8]>::to_vec)),
        Exit::Code(NONE) => Ok(None),
        // It has had its time.
        Exit::Code(_) | Exit::Signal(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer_of(script: &str) -> io::Result<Option<Vec<u8>>> {
        answer(Spawn::new("/bin/sh").args(["-c", script]))
    }

    #[test]
    fn an_answer_is_a_line_and_its_exit_code_says_whether_it_is_one() {
        assert_eq!(answer_of("echo a.example; echo b").unwrap(), Some(b"a.example".to_vec()));
        assert_eq!(answer_of("echo a.example; exit 100").unwrap(), None);
        assert!(answer_of("echo a.example; exit 111").is_err());
        assert!(answer_of("kill -9 $$").is_err());
        for (asker, kind) in [
            (Asker::Ourselves, io::ErrorKind::NotFound),
            (Asker::Nobody, io::ErrorKind::PermissionDenied),
        ] {
            let names = Names { program: "/nonexistent/program".into(), asker };
            let error = names.name("192.0.2.1".parse().unwrap(), Belief::Any).unwrap_err();
            assert_eq!(error.kind(), kind);
        }
    }
}
