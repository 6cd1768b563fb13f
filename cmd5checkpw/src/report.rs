//! What syslog is told of every attempt.

use std::os::unix::net::UnixDatagram;
use std::path::Path;

use qmail_core::log::Line;

use qmail_digests::Method;

/// The facility of mail systems, as syslog numbers it, before the severity.
const MAIL: u8 = 2 << 3;
const NOTICE: u8 = 5;
const INFO: u8 = 6;
/// Methods that a caller may name; what else he says does not get into the log.
const NAMED: [&str; 4] = ["LOGIN", "PLAIN", "CRAM-MD5", "APOP"];

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report(Vec<u8>);

impl Report {
    /// Of an attempt to log in; `named` is what the caller says how.
    pub fn attempt(login: &[u8], proven: Option<Method>, named: Option<&str>) -> Self {
        let named = named
            .and_then(|named| NAMED.into_iter().find(|known| known.eq_ignore_ascii_case(named)));
        let method = match proven {
            Some(method @ (Method::CramMd5 | Method::Apop)) => method.name(),
            Some(Method::Password) | None => named.unwrap_or(Method::Password.name()),
        };
        let (severity, word) =
            if proven.is_some() { (INFO, "succeeded") } else { (NOTICE, "failed") };
        let line = start(severity).text("authentication ").text(word).text(" for user ");
        Self::of(line.safe(login).text(" (").text(method).text(")"))
    }

    /// Of something that keeps us from judging.
    pub fn trouble(text: &str) -> Self {
        Self::of(start(NOTICE).text(text))
    }

    /// Sends it to the socket that syslog listens on. That nobody does is not our affair.
    pub fn send(&self, socket: &Path) {
        let _ = UnixDatagram::unbound().and_then(|from| from.send_to(&self.0, socket));
    }

    fn of(line: Line) -> Self {
        let mut message = line.end();
        message.pop();
        Self(message)
    }
}

fn start(severity: u8) -> Line {
    Line::new("<").number((MAIL | severity).into()).text(">cmd5checkpw: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(login: &[u8], proven: Option<Method>, named: Option<&str>) -> String {
        String::from_utf8(Report::attempt(login, proven, named).0).unwrap()
    }

    #[test]
    fn every_attempt_has_a_line() {
        assert_eq!(
            text(b"joe", Some(Method::CramMd5), Some("plain")),
            "<22>cmd5checkpw: authentication succeeded for user joe (CRAM-MD5)"
        );
        assert_eq!(
            text(b"j e\n", None, Some("login")),
            "<21>cmd5checkpw: authentication failed for user j_e/ (LOGIN)"
        );
        assert!(text(b"joe", Some(Method::Password), None).ends_with("(LOGIN/PLAIN)"));
        assert!(text(b"joe", None, Some("x\ny")).ends_with("(LOGIN/PLAIN)"));
    }

    #[test]
    fn it_arrives_in_one_piece() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let socket = UnixDatagram::bind(&path).unwrap();
        Report::trouble("unable to read /etc/poppasswd").send(&path);
        let mut message = [0; 100];
        let length = socket.recv(&mut message).unwrap();
        assert_eq!(&message[..length], b"<21>cmd5checkpw: unable to read /etc/poppasswd");
        Report::trouble("nobody listens").send(&directory.path().join("missing"));
    }
}
