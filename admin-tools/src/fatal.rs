//! How a command gives up, and how it writes.

use std::io::{self, Write};
use std::process::ExitCode;

use qmail_core::errno;

/// The system failed; trying again may help.
pub const TEMPORARY: u8 = 111;
/// The command was called in a wrong way, or there is no hope.
pub const PERMANENT: u8 = 100;

/// Says a line on standard error, and gives the exit code. Who does not listen still gets that.
pub fn give_up(line: &str, code: u8) -> ExitCode {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
    ExitCode::from(code)
}

/// As [`give_up`], for commands that say everything on standard output.
pub fn give_up_loudly(line: &str, code: u8) -> ExitCode {
    let _ = print(format!("{line}\n").as_bytes());
    ExitCode::from(code)
}

/// What the system would not do, and its reason.
pub fn because(what: &str, error: &io::Error) -> String {
    format!("{what}: {}", errno::text(error))
}

/// Writes to standard output.
///
/// # Errors
/// If nobody reads it, above all.
pub fn print(bytes: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(bytes)?;
    output.flush()
}

/// The exit code of a command that has only printed.
pub fn printed(result: io::Result<()>) -> ExitCode {
    ExitCode::from(if result.is_ok() { 0 } else { TEMPORARY })
}

/// `bytes` with `stand_in` for each that a terminal might obey rather than show.
pub fn printable(bytes: &[u8], stand_in: u8) -> Vec<u8> {
    let shown = |byte: &u8| if (32..=126).contains(byte) { *byte } else { stand_in };
    bytes.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_never_sent_a_control() {
        assert_eq!(printable(b"a\x1b\x7f\x9b\n ~", b'?'), b"a???? ~");
    }

    #[test]
    fn reasons_are_in_qmails_words() {
        let error = io::Error::from_raw_os_error(2);
        assert_eq!(
            because("fatal: unable to chdir", &error).split(": ").last(),
            Some("file does not exist")
        );
    }
}
