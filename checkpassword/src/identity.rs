//! The program, as the user's own.

use std::convert::Infallible;
use std::os::unix::ffi::OsStrExt;

use qmail_login::Failure;
use qmail_sys::{Spawn, User};

/// Becomes the user, and then the program, in his home directory.
pub fn become_user(user: &User, program: Spawn<'_>) -> Result<Infallible, Failure> {
    user.assume().map_err(|_| Failure::Temporary)?;
    // As the user: his home may be where root has nothing to say.
    let program = program
        .env("USER", &user.name)
        .env("HOME", user.home.as_os_str().as_bytes())
        .env("SHELL", user.shell.as_os_str().as_bytes())
        .directory(&user.home);
    program.replace().map_err(|_| Failure::Temporary)
}
