//! The program, and as whom it runs.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt;

use qmail_sys::{Spawn, User, give_up_set_id, real_uid};

/// Why there is no program.
#[derive(Debug)]
pub enum NotRun {
    /// The file has a name that this host does not.
    NoAccount,
    /// The system refused.
    Refused(io::Error),
}

impl fmt::Display for NotRun {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoAccount => "this host has no such account",
            Self::Refused(error) => qmail_core::errno::text(error),
        })
    }
}

impl std::error::Error for NotRun {}

impl From<io::Error> for NotRun {
    fn from(error: io::Error) -> Self {
        Self::Refused(error)
    }
}

/// Becomes the program: as the user whose password it was, if root has started us, and otherwise
/// as whoever has, who must not be able to read the file.
///
/// # Errors
/// If there is no such account, or it cannot be had.
pub fn become_user(login: &[u8], program: Spawn<'_>) -> Result<Infallible, NotRun> {
    let program = program.env("USER", login);
    // Root, too: with a set-id bit he is somebody who can become nobody else.
    give_up_set_id()?;
    if real_uid() != 0 {
        return Ok(program.replace()?);
    }
    let user = User::find(login)?.ok_or(NotRun::NoAccount)?;
    user.assume()?;
    let home = user.home.as_os_str().as_bytes();
    let shell = user.shell.as_os_str().as_bytes();
    Ok(program.env("HOME", home).env("SHELL", shell).directory(&user.home).replace()?)
}
