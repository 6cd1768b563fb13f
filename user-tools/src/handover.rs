//! Making way for another program: for datemail, elq, pinq and qail.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use qmail_core::home::home;
use qmail_sys::{Exit, Spawn};

use crate::failure::Failure;
use crate::surroundings::words;

/// Becomes `program`, looked for in `$PATH` unless it has a slash. Comes back only if that fails.
pub fn become_program(program: OsString, arguments: Vec<OsString>) -> Failure {
    let Err(error) = Spawn::search(&program).args(arguments).replace();
    Failure::system([b"unable to run ", program.as_bytes()].concat(), &error)
}

/// Brings new mail from the user's maildir into his mbox, and if that went well becomes his mail
/// reader, with all our arguments.
pub fn read_mail(reader: &str) -> Result<u8, Failure> {
    let collector = home().join("bin/maildir2mbox");
    let child = Spawn::new(&collector)
        .start()
        .map_err(|error| Failure::system("unable to fork", &error))?;
    match child.wait().map_err(|error| Failure::system("wait failed", &error))? {
        Exit::Code(0) => Err(become_program(reader.into(), words())),
        // maildir2mbox has said why.
        Exit::Code(code) => Ok(code),
        Exit::Signal(_) => Err(Failure::Temporary(b"child crashed".to_vec())),
    }
}
