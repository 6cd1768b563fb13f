//! Giving the message to a command of the user.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;

use qmail_core::errno;
use qmail_sys::{Exit, Spawn};

use crate::execute::Next;
use crate::failure::Failure;
use crate::variables::Variables;

const SHELL: &str = "/bin/sh";

/// Runs `command` with the message as its input. It may take as long as it likes.
pub(super) fn run(command: &[u8], variables: &Variables, message: &File) -> Result<Next, Failure> {
    // Addresses are in variables, never in the text of the command: they come from anybody.
    let shell = Spawn::new(SHELL).arg("-c").arg_bytes(command).connect(0, message.as_fd());
    let shell = variables.show_to(shell);
    // A child of ours that becomes the shell, so that it can say why it could not.
    let child = qmail_sys::fork(|| {
        let Err(error) = shell.replace();
        let text = format!("Unable to run {SHELL}: {}. (#4.3.0)\n", errno::text(&error));
        // Nobody is left to tell that it could not be told.
        let _ = io::stderr().write_all(text.as_bytes());
        111
    });
    let exit = child.map_err(Failure::Fork)?.wait().map_err(|_| Failure::Crashed)?;
    verdict(exit)
}

/// What a command means by the way it ends. It has written its own words to the report.
fn verdict(exit: Exit) -> Result<Next, Failure> {
    match exit {
        Exit::Code(0) => Ok(Next::Continue),
        Exit::Code(99) => Ok(Next::Stop),
        Exit::Code(100 | 64 | 65 | 70 | 76 | 77 | 78 | 112) => Err(Failure::ProgramRefused),
        Exit::Code(_) => Err(Failure::ProgramDeferred),
        Exit::Signal(_) => Err(Failure::Crashed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_codes_refuse_for_good() {
        for code in 0..=255 {
            let expected = match code {
                0 | 99 => 0,
                64 | 65 | 70 | 76 | 77 | 78 | 100 | 112 => 100,
                _ => 111,
            };
            let code_of_ours =
                verdict(Exit::Code(code)).map_or_else(|failure| failure.code(), |_| 0);
            assert_eq!(code_of_ours, expected, "exit {code}");
        }
        assert_eq!(verdict(Exit::Code(99)).unwrap(), Next::Stop);
        assert_eq!(verdict(Exit::Signal(9)).unwrap_err().code(), 111);
    }
}
