//! Lines for descriptor 2 of a program that a client talks with.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;

/// A file, by its device and number.
type File = (u64, u64);

/// Writes a line, which ends with LF, to descriptor 2, unless the client is there too: inetd and
/// stunnel connect him to it, and he would take the line for an answer.
pub fn complain(line: &[u8]) {
    if !client_listens(file) {
        // Mail does not wait for a log that cannot be written.
        let _ = io::stderr().write_all(line);
    }
}

/// Whether descriptor 2 is what 0 or 1 is.
fn client_listens(file: impl Fn(u8) -> Option<File>) -> bool {
    let log = file(2);
    log.is_some() && (file(0) == log || file(1) == log)
}

fn file(descriptor: u8) -> Option<File> {
    let file = fs::metadata(format!("/proc/self/fd/{descriptor}")).ok()?;
    Some((file.dev(), file.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_neither_where_the_client_speaks_nor_where_he_listens() {
        let listens = |files: [Option<File>; 3]| client_listens(|at| files[usize::from(at)]);
        let (client, log) = (Some((8, 1)), Some((8, 2)));
        assert!(listens([client, client, client]));
        assert!(listens([client, log, log]) && listens([log, client, log]));
        assert!(!listens([client, client, log]));
        assert!(!listens([None, None, None]) && !listens([client, None, None]));
    }

    #[test]
    fn files_are_told_apart() {
        assert_eq!(file(0), file(0));
        assert_eq!(file(255), None);
    }
}
