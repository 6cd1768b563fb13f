//! How the commands write and end.

use std::io::{self, Write};
use std::process::ExitCode;

/// Everything is as it should be.
pub const FINE: u8 = 0;
/// Something is not, or was not done; what was printed says what.
pub const UNSETTLED: u8 = 1;
/// The command was called in a wrong way.
pub const USAGE: u8 = 100;
/// The system failed; trying again may help.
pub const TEMPORARY: u8 = 111;

/// Says a line on standard error, and gives the exit code. Who does not listen still gets that.
pub fn give_up(line: &str, code: u8) -> ExitCode {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
    ExitCode::from(code)
}

/// `bytes` with a question mark for each that a terminal might obey rather than show.
pub fn printable(bytes: &[u8]) -> Vec<u8> {
    let shown = |byte: &u8| if (32..=126).contains(byte) { *byte } else { b'?' };
    bytes.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_never_sent_a_control() {
        assert_eq!(printable(b"a\x1b\x7f\x9b\n ~"), b"a???? ~");
    }
}
