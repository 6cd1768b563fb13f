//! The mail systems, one a file.

mod exim;
mod opensmtpd;
mod postfix;
mod qmail;

use std::ffi::OsString;
use std::io;
use std::path::Path;

use qmail_conformance::Tree;

use crate::site::Site;

pub(crate) use exim::Exim;
pub(crate) use opensmtpd::OpenSmtpd;
pub(crate) use postfix::Postfix;
pub(crate) use qmail::Qmail;

/// How many deliveries to one place at once, of every system that can be told.
pub(crate) const CONCURRENCY: usize = 20;

/// A mail system that takes mail by SMTP and from the command line, delivers that for
/// [`crate::site::LOCAL`] to a Maildir and sends all other mail to [`crate::site::SINK`].
pub(crate) trait System {
    /// What it is called in the tables.
    fn name(&self) -> &str;

    /// Whether it is on this machine.
    fn is_there(&self) -> bool;

    /// A world for it, with an empty queue and nothing running.
    fn site(&self, counts: bool) -> io::Result<Site>;

    /// Starts it so that it takes mail, and does nothing further with it.
    fn take(&self, site: &Site) -> io::Result<()>;

    /// Starts it so that it delivers, too, what is in its queue first.
    fn work(&self, site: &Site) -> io::Result<()>;

    /// The command that takes a message for a recipient. It says whether the system has to run.
    fn sendmail(&self, site: &Site, when: Delivery) -> Sendmail;

    /// How many clients may come at once without having to wait for each other.
    fn most_sessions(&self) -> usize {
        usize::MAX
    }

    /// The qmail that it is, for what only qmail has.
    fn qmail(&self) -> Option<&Qmail> {
        None
    }
}

/// When what the command takes is to be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Now,
    Later,
}

/// A command that reads a message; the recipient is to be added.
#[derive(Clone, Debug)]
pub(crate) struct Sendmail {
    pub words: Vec<OsString>,
    pub variables: Vec<(&'static str, OsString)>,
    /// Whether something has to run for it.
    pub asks_a_daemon: bool,
}

/// Where `.ci/peers` unpacks mail servers.
const UNPACKED: &str = "/usr/local/lib/mail-servers";

/// An account that a server runs as, in the place of one that this host may have.
fn add_account(tree: &Tree, name: &str, id: u32) -> io::Result<()> {
    let script = format!(
        "set -e
        users=$(grep -v '^{name}:' /etc/passwd) groups=$(grep -v '^{name}:' /etc/group)
        printf '%s\\n' \"$users\" {name}:x:{id}:{id}::/:/bin/false > /etc/passwd
        printf '%s\\n' \"$groups\" {name}:x:{id}: > /etc/group"
    );
    shell(tree, &script, &[])
}

/// Prepares a world.
fn shell(tree: &Tree, script: &str, arguments: &[&Path]) -> io::Result<()> {
    let program =
        tree.command("/bin/sh").args(["-c", script, "sh"]).args(arguments.iter().copied());
    let done = program.run();
    if done.code == Some(0) {
        return Ok(());
    }
    Err(io::Error::other(done.said()))
}

fn path(words: &str) -> OsString {
    OsString::from(words)
}
