//! The program, and as whom it runs.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;

use qmail_sys::{Spawn, User, give_up_set_id, real_uid};

/// Becomes the program: as the user whose password it was, if root has started us, and otherwise
/// as whoever has, who must not be able to read the file.
///
/// # Errors
/// If there is no such account, or it cannot be had.
pub fn become_user(login: &[u8], program: Spawn<'_>) -> io::Result<Infallible> {
    let program = program.env("USER", login);
    if real_uid() != 0 {
        give_up_set_id()?;
        return program.replace();
    }
    let user = User::find(login)?.ok_or(ErrorKind::NotFound)?;
    user.assume()?;
    let home = user.home.as_os_str().as_bytes();
    let shell = user.shell.as_os_str().as_bytes();
    program.env("HOME", home).env("SHELL", shell).directory(&user.home).replace()
}
