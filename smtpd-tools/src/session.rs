//! What a plug-in of qmail-smtpd is told, and how it answers.

use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;

/// A variable of the session; empty counts as missing.
pub fn variable(name: &str) -> Option<Vec<u8>> {
    std::env::var_os(name).map(OsStringExt::into_vec).filter(|value| !value.is_empty())
}

/// Answers with a command.
pub fn answer(command: &[u8]) {
    // If nobody reads it, the session is over.
    let _ = io::stdout().write_all(&[command, b"\n"].concat());
}

/// Writes a line to the session's log.
pub fn log(line: &[u8]) {
    // Mail does not wait for a log that cannot be written.
    let _ = io::stderr().write_all(&[line, b"\n"].concat());
}

/// `bytes` with a `?` for each that is no visible ASCII character.
pub fn word(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| if byte.is_ascii_graphic() { *byte } else { b'?' }).collect()
}
