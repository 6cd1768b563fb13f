//! TLS, which another process does: what strangers send is no business of root's.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use qmail_core::accounts::{Accounts, Group, Role};
use qmail_core::control::{Controls, SERVERCERT_PEM};
use qmail_sys::{Child, Identity, Spawn, Uid, effective_uid};

use crate::connection::Connection;

/// Where qmail-tlsrelay has the session.
const PLAIN: u8 = 3;
/// What both sides say there when they are ready.
const READY: &[u8] = b"+";
/// How long it may take to read certificates.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program, and who runs it.
#[derive(Clone, Debug)]
pub struct Tls {
    program: PathBuf,
    identity: Option<Identity>,
}

/// A process that is able to speak TLS, and waits.
#[derive(Debug)]
pub(crate) struct Ready {
    plain: UnixStream,
    child: Child,
}

impl Tls {
    /// If there is a certificate in the tree at `home`, and `DISABLETLS` does not forbid it.
    ///
    /// # Errors
    /// If the accounts of the tree are not known.
    pub fn find(
        home: &Path,
        variable: &dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> io::Result<Option<Self>> {
        let forbidden = variable("DISABLETLS").is_some_and(|value| value != b"0");
        let controls = Controls::open(home).map_err(io::Error::other)?;
        if forbidden || !controls.path(&SERVERCERT_PEM).exists() {
            return Ok(None);
        }
        let program = home.join("bin/qmail-tlsrelay");
        let identity = if effective_uid() == 0 { Some(daemon(home)?) } else { None };
        Ok(Some(Self { program, identity }))
    }

    /// Starts it for this connection, in which nothing is said to the client before
    /// [`Ready::begin`].
    ///
    /// # Errors
    /// If it does not find what it needs; it has told the log why.
    pub(crate) fn start(&self, client: &Connection) -> io::Result<Ready> {
        let (mut plain, other) = UnixStream::pair()?;
        let spawn = Spawn::new(&self.program)
            .connect(0, client.input.as_fd())
            .connect(1, client.output.as_fd())
            .connect(PLAIN, other.as_fd());
        let spawn = match self.identity {
            Some(identity) => spawn.as_user(identity),
            None => spawn,
        };
        let child = spawn.start()?;
        drop(other);
        match await_ready(&mut plain) {
            Ok(()) => Ok(Ready { plain, child }),
            Err(error) => {
                // It ends as soon as we are gone.
                drop(plain);
                let _ = child.wait();
                Err(error)
            }
        }
    }
}

impl Ready {
    /// Begins TLS. From now on the client is behind the returned connection.
    ///
    /// # Errors
    /// If the process has gone.
    pub(crate) fn begin(mut self) -> io::Result<Connection> {
        self.plain.write_all(READY)?;
        let input = self.plain.try_clone()?.into();
        Ok(Connection { input, output: self.plain.into(), relay: Some(self.child) })
    }
}

fn await_ready(plain: &mut UnixStream) -> io::Result<()> {
    plain.set_read_timeout(Some(PATIENCE))?;
    let mut said = [0; 1];
    plain.read_exact(&mut said)?;
    plain.set_read_timeout(None)?;
    if said == READY { Ok(()) } else { Err(ErrorKind::InvalidData.into()) }
}

/// Who takes what comes from the network, and owns no files.
fn daemon(home: &Path) -> io::Result<Identity> {
    let accounts = Accounts::load(home).map_err(io::Error::other)?;
    let uid = Uid::new(accounts.user(Role::Daemon).uid).ok_or(ErrorKind::PermissionDenied)?;
    Ok(Identity { uid, gid: accounts.group(Group::NoFiles) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::pipes;
    use std::fs::{DirBuilder, File};
    use std::os::unix::fs::OpenOptionsExt;

    fn tree(relay: &str) -> (tempfile::TempDir, Tls) {
        let home = tempfile::tempdir().unwrap();
        for directory in ["control", "bin"] {
            DirBuilder::new().create(home.path().join(directory)).unwrap();
        }
        let none = Tls::find(home.path(), &|_| None).unwrap();
        assert!(none.is_none());
        File::create(home.path().join("control/servercert.pem")).unwrap();
        let mut options = File::options();
        let program = home.path().join("bin/qmail-tlsrelay");
        let mut file = options.create(true).write(true).mode(0o755).open(&program).unwrap();
        file.write_all(format!("#!/bin/sh\n{relay}\n").as_bytes()).unwrap();
        drop(file);
        (home, Tls { program, identity: None })
    }

    #[test]
    fn tls_can_be_forbidden() {
        let (home, _) = tree("");
        let find = |value: &str| {
            let variable = |name: &str| (name == "DISABLETLS").then(|| value.as_bytes().to_vec());
            Tls::find(home.path(), &variable)
        };
        assert!(matches!(find("1"), Ok(None)));
        // Where there are no accounts of qmail, only root looks for them.
        assert!(matches!(find("0"), Ok(Some(_)) | Err(_)));
    }

    #[test]
    fn what_the_client_says_arrives_by_the_relay() {
        let (_home, tls) = tree("printf + >&3; head -c 1 <&3 >/dev/null; cat >&3");
        let (client, mut to, _from) = pipes();
        let ready = tls.start(&client).unwrap();
        to.write_all(b"hello").unwrap();
        drop(to);
        let connection = ready.begin().unwrap();
        let mut said = [0; 5];
        File::from(connection.input.try_clone().unwrap()).read_exact(&mut said).unwrap();
        assert_eq!(&said, b"hello");
        connection.end();
    }

    #[test]
    fn a_relay_that_is_not_ready_is_an_error() {
        for script in ["exit 1", "printf x >&3"] {
            let (_home, tls) = tree(script);
            assert!(tls.start(&pipes().0).is_err(), "{script}");
        }
    }
}
