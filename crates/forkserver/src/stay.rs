//! The program that stays.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use qmail_core::heap::keep_pages;
use qmail_core::program::own_greeting;
use qmail_sys::{Siblings, Title, inherit, receive_message, send_message};
use qmail_wire::fork_server::{FORK_SERVER, LONGEST_JOB, Reply};
use qmail_wire::stay::SOCKET;

use crate::work::{Work, show};

/// Does once what `body` does with the arguments, the name of the program before them; or, if it is
/// asked to stay, each time that it is asked, in a copy of this process. `body` returns the exit
/// code.
///
/// A copy may be given several jobs, one after the other, for one user: `body` leaves nothing behind
/// that the next time could find, but descriptors 0 to 2, the directory and the mask of new files.
/// Nothing may be done before: every copy would have what was found out.
pub fn main(body: impl Fn(Vec<OsString>) -> u8) -> ExitCode {
    main_beside((), |()| {}, |arguments, ()| body(arguments))
}

/// As [`main`], beside something that the process that stays has for its copies: it looks after that
/// before it makes one.
pub fn main_beside<C>(
    mut companion: C,
    look_after: impl Fn(&mut C),
    body: impl Fn(Vec<OsString>, &C) -> u8,
) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if !is_to_stay(&arguments) {
        return ExitCode::from(body(arguments, &companion));
    }
    match stay(&arguments, &mut companion, look_after, body) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(111),
    }
}

/// Whether that is what it was started for. A host may have the name of that argument, but then there
/// is more behind it.
fn is_to_stay(arguments: &[OsString]) -> bool {
    matches!(arguments, [_, first] | [_, first, _] if first == FORK_SERVER.argument)
}

/// Until nobody is there any more to ask.
fn stay<C>(
    arguments: &[OsString],
    companion: &mut C,
    look_after: impl Fn(&mut C),
    body: impl Fn(Vec<OsString>, &C) -> u8,
) -> io::Result<()> {
    let mut socket = Some(inherit(SOCKET)?);
    let siblings = Siblings::new()?;
    // Every copy has them, too.
    keep_pages();
    let mut title = Title::find();
    show(title.as_mut(), arguments.get(..2).unwrap_or_default());
    let mut buffer = vec![0; LONGEST_JOB];
    let mut say = own_greeting(&FORK_SERVER)?;
    while let Some(asker) = &socket {
        send_message(asker, &say, &[])?;
        let (length, descriptors) = receive_message(asker, &mut buffer)?;
        let message = buffer.get_mut(..length).unwrap_or_default();
        if message.is_empty() {
            return Ok(());
        }
        look_after(companion);
        let begun = siblings.fork(|| {
            // What is asked of us is nothing to it.
            socket = None;
            let body = |arguments| body(arguments, companion);
            Work { title: title.as_mut(), body }.begin_with(message, descriptors)
        });
        // The next copy is to have nothing of this one's job.
        message.fill(0);
        let errno = |error: io::Error| error.raw_os_error().unwrap_or_default().unsigned_abs();
        say = Reply(begun.map_err(errno)).encode().to_vec();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_with_an_argument_of_that_name_is_a_job() {
        let is_to_stay = |line: &str| {
            is_to_stay(&line.split(' ').map(OsString::from).collect::<Vec<OsString>>())
        };
        assert!(is_to_stay("qmail-remote --fork-server"));
        assert!(is_to_stay("qmail-remote --fork-server room"));
        assert!(!is_to_stay("qmail-remote --fork-server a@b c@--fork-server"));
        assert!(!is_to_stay("qmail-remote"));
    }
}
