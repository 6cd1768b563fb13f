//! The program that stays.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use qmail_sys::{Siblings, Title, inherit, receive_message, send_message};
use qmail_wire::fork_server::{ARGUMENT, LONGEST_JOB, MARK, Reply, SOCKET};

use crate::work::Work;

/// Does once what `body` does with the arguments, the name of the program before them; or, if it is
/// asked to stay, each time that it is asked, in a copy of this process. `body` returns the exit
/// code.
///
/// A copy may be given several jobs, one after the other, for one user: `body` leaves nothing behind
/// that the next time could find, but descriptors 0 to 2, the directory and the mask of new files.
/// Nothing may be done before: every copy would have what was found out.
pub fn main(body: impl Fn(Vec<OsString>) -> u8) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_none_or(|argument| argument != ARGUMENT) {
        return ExitCode::from(body(arguments));
    }
    match stay(&arguments, body) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(111),
    }
}

/// Until nobody is there any more to ask.
fn stay(arguments: &[OsString], body: impl Fn(Vec<OsString>) -> u8) -> io::Result<()> {
    let mut socket = Some(inherit(SOCKET)?);
    let siblings = Siblings::new()?;
    let mut work = Work { title: Title::find(), body };
    work.show(arguments.get(..2).unwrap_or_default());
    let mut buffer = vec![0; LONGEST_JOB];
    let mut say = MARK.to_vec();
    while let Some(asker) = &socket {
        send_message(asker, &say, &[])?;
        let (length, descriptors) = receive_message(asker, &mut buffer)?;
        let message = buffer.get_mut(..length).unwrap_or_default();
        if message.is_empty() {
            return Ok(());
        }
        let begun = siblings.fork(|| {
            // What is asked of us is nothing to it.
            socket = None;
            work.begin_with(message, descriptors)
        });
        // The next copy is to have nothing of this one's job.
        message.fill(0);
        let errno = |error: io::Error| error.raw_os_error().unwrap_or_default().unsigned_abs();
        say = Reply(begun.map_err(errno)).encode().to_vec();
    }
    Ok(())
}
