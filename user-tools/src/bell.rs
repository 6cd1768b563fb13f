//! What qbiff writes on terminals, and on which ones.

use std::fs::OpenOptions;
use std::io::{BufRead, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use qmail_sys::{Login, OPEN_NONBLOCKING};

use crate::summary::{Summary, printable};

const INDENTATION: &[u8] = b"    ";
/// Bytes of the line that says what the message is about.
const LINE_LENGTH: usize = 78;
/// The owner's right to execute a terminal means: he wants to be told.
const WANTS_NOTICE: u32 = 0o100;

/// The notice about a message from `sender` to `local`; `None` if it cannot be read.
pub fn notice(local: &[u8], sender: &[u8], message: &mut impl BufRead) -> Option<Vec<u8>> {
    let to_from = [b"*** TO <", local, b"> FROM <", sender, b">"].concat();
    let text = Summary::read(message, LINE_LENGTH - INDENTATION.len()).ok()?.text;
    let (to_from, text) = (printable(&to_from, b'_'), printable(&text, b'/'));
    Some([b"\r\n\x07", to_from.as_slice(), b"\r\n", INDENTATION, &text, b"\r\n"].concat())
}

/// The terminals of `user` that may be written on, as names in `/dev`.
pub fn terminals<'l>(user: &[u8], logins: &'l [Login]) -> impl Iterator<Item = &'l [u8]> {
    // A name that may have been cut could be somebody else's.
    let user = (user.len() <= Login::LONGEST_USER).then(|| user.to_vec());
    logins
        .iter()
        .filter(move |login| Some(&login.user) == user.as_ref())
        .map(|login| login.terminal.as_slice())
        .filter(|name| !name.is_empty() && !name.starts_with(b"/") && !name.contains(&b'.'))
}

/// Writes `notice` on a terminal if it belongs to `uid`, who wants that. It may have gone by now,
/// or be stopped: then nothing is written, and nobody waits.
pub fn ring(terminal: &Path, uid: u32, notice: &[u8]) {
    let opened = OpenOptions::new().append(true).custom_flags(OPEN_NONBLOCKING).open(terminal);
    let Ok(mut file) = opened else { return };
    let Ok(metadata) = file.metadata() else { return };
    let is_terminal = metadata.file_type().is_char_device();
    if is_terminal && metadata.uid() == uid && metadata.mode() & WANTS_NOTICE != 0 {
        let _ = file.write_all(notice);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_harmless_and_short() {
        let message = format!("Subject: h\x1bi\n\n{}\n", "x".repeat(100));
        let notice = notice(b"jo\ne", b"a@\xe9", &mut message.as_bytes()).unwrap();
        let body = "x".repeat(78 - "    h/i//".len());
        let expected = format!("\r\n\x07*** TO <jo_e> FROM <a@_>\r\n    h/i//{body}\r\n");
        assert_eq!(notice, expected.as_bytes());
    }

    #[test]
    fn only_terminals_below_dev_and_of_this_user_are_written_on() {
        let login =
            |user: &str, terminal: &str| Login { user: user.into(), terminal: terminal.into() };
        let logins = [
            login("joe", "pts/1"),
            login("joe", "/etc/passwd"),
            login("joe", "../tmp/x"),
            login("joe", ""),
            login("joey", "pts/2"),
            login(&"x".repeat(32), "tty1"),
        ];
        let names = |user: &str| terminals(user.as_bytes(), &logins).collect::<Vec<_>>();
        assert_eq!(names("joe"), [b"pts/1"]);
        assert_eq!(names(&"x".repeat(32)), [b"tty1"]);
        assert!(names(&"x".repeat(33)).is_empty());
    }

    #[test]
    fn a_file_is_not_a_terminal() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let metadata = file.as_file().metadata().unwrap();
        let mut permissions = metadata.permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o700);
        file.as_file().set_permissions(permissions).unwrap();
        ring(file.path(), metadata.uid(), b"hello");
        assert_eq!(file.as_file().metadata().unwrap().len(), 0);
    }
}
