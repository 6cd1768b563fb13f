//! Whose an address is: `users/cdb`, then the accounts of the machine.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;

use qmail_core::users::{self, Assignment, DATABASE};
use qmail_sys::{Exit, Spawn, pipe};

/// No answer of qmail-getpw is longer.
const LONGEST_ANSWER: u64 = 16_384;

/// The owner; `None` if qmail-getpw did not say.
pub(crate) fn find(home: &Path, local: &[u8]) -> io::Result<Option<Assignment>> {
    if let Some(strings) = users::find(&home.join(DATABASE), local)? {
        return Ok(Assignment::parse(&strings).ok());
    }
    let answer = pipe()?;
    let child = Spawn::new("bin/qmail-getpw")
        .arg_bytes(local)
        .directory(home)
        .connect(1, answer.write.as_fd())
        .start()?;
    drop(answer.write);
    let mut strings = Vec::new();
    let read = File::from(answer.read).take(LONGEST_ANSWER).read_to_end(&mut strings);
    let exit = child.wait()?;
    read?;
    Ok(if exit == Exit::Code(0) { Assignment::parse(&strings).ok() } else { None })
}
