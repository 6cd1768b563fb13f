//! The program that sends the message: qmail-remote, this workspace's or any other.

use std::convert::Infallible;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use qmail_sys::Spawn;

use crate::Trouble;

/// Names the next program.
const VARIABLE: &str = "DKIMREMOTE";

/// Tells this program, should it be what it becomes, that it is.
const GUARD: &str = "DKIMREMOTE_RUN_BY";

/// The program that sends the message.
#[derive(Debug)]
pub struct Next {
    program: OsString,
    is_loop: bool,
}

impl Next {
    /// `$DKIMREMOTE`. Without it, `qmail-remote.orig` beside this program if this was installed as
    /// `qmail-remote`, as for a qmail-rspawn that runs nothing else; otherwise `qmail-remote`.
    pub fn find() -> Self {
        let named = env::var_os(VARIABLE);
        let program = program(named, env::current_exe().ok().as_deref());
        let process = std::process::id().to_string();
        Self { program, is_loop: env::var_os(GUARD).is_some_and(|by| by == *process) }
    }

    /// Whether it is another program than this one.
    pub(crate) fn check(&self) -> Result<(), Trouble> {
        if self.is_loop { Err(Trouble::Loop) } else { Ok(()) }
    }

    /// Becomes that program.
    pub(crate) fn become_it(
        &self,
        arguments: &[Vec<u8>],
        message: &File,
    ) -> Result<Infallible, Trouble> {
        let process = std::process::id().to_string();
        let spawn = Spawn::search(&self.program).env(GUARD, process.as_bytes());
        arguments
            .iter()
            .fold(spawn, |spawn, argument| spawn.arg_bytes(argument))
            .connect(0, message.as_fd())
            .replace()
            .map_err(Trouble::Run)
    }
}

fn program(named: Option<OsString>, ourselves: Option<&Path>) -> OsString {
    let named = named.filter(|name| !name.is_empty());
    let original = || {
        let ourselves =
            ourselves.filter(|path| path.file_name() == Some(OsStr::new("qmail-remote")));
        ourselves.map(|path| PathBuf::from(path).with_file_name("qmail-remote.orig").into())
    };
    named.or_else(original).unwrap_or_else(|| "qmail-remote".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_program_follows_from_our_name_unless_it_is_named() {
        let found = |named: Option<&str>, ourselves: &str| {
            program(named.map(Into::into), Some(Path::new(ourselves)))
        };
        assert_eq!(found(None, "/var/qmail/bin/qmail-dkim-remote"), "qmail-remote");
        let renamed = "/var/qmail/bin/qmail-remote";
        assert_eq!(found(None, renamed), "/var/qmail/bin/qmail-remote.orig");
        assert_eq!(found(Some("/x/remote"), renamed), "/x/remote");
        assert_eq!(found(Some(""), renamed), "/var/qmail/bin/qmail-remote.orig");
        assert_eq!(program(None, None), "qmail-remote");
    }
}
