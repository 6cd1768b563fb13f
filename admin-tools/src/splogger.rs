//! Lines of a log as messages to syslog.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use qmail_core::control::leading_number;

/// What is longer goes on in a further message.
const LONGEST: usize = 799;

/// The facility of mail systems.
const MAIL: u64 = 2;

/// How urgent a message is, as syslog numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Severity {
    Alert = 1,
    Warning = 4,
    Info = 6,
}

impl Severity {
    fn of(line: &[u8]) -> Self {
        if line.starts_with(b"alert:") {
            Self::Alert
        } else if line.starts_with(b"warning:") {
            Self::Warning
        } else {
            Self::Info
        }
    }
}

/// What all messages have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    tag: Vec<u8>,
    facility: u64,
}

impl Header {
    /// Reads `[tag [facility]]`.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Self {
        let mut words = words.into_iter().map(OsStringExt::into_vec);
        let tag = words.next().unwrap_or_else(|| b"splogger".to_vec());
        let number = words.next().map(|word| leading_number(&word).unwrap_or(0));
        // syslog knows 24 facilities.
        let facility = number.unwrap_or(MAIL) & 0x7f;
        Self { tag, facility }
    }

    fn message(&self, severity: Severity, text: &[u8]) -> Vec<u8> {
        let priority = (self.facility << 3) | severity as u64;
        [format!("<{priority}>").as_bytes(), &self.tag, b": ", text].concat()
    }
}

/// The socket that syslog listens on. That nobody does is not our affair: mail goes on.
#[derive(Debug)]
pub struct Syslog {
    path: PathBuf,
    header: Header,
}

impl Syslog {
    /// Messages go to the datagram socket at `path`.
    pub fn new(path: &Path, header: Header) -> Self {
        Self { path: path.to_owned(), header }
    }

    fn send(&self, severity: Severity, text: &[u8]) {
        let message = self.header.message(severity, text);
        // By path each time, since syslog may be started again.
        let _ = UnixDatagram::unbound().and_then(|socket| socket.send_to(&message, &self.path));
    }
}

/// Passes lines on until there are no more; a last one without an end counts.
///
/// # Errors
/// If the input cannot be read.
pub fn pass_on(input: &mut impl Read, syslog: &Syslog) -> io::Result<()> {
    let mut lines = Lines::default();
    let mut buffer = [0; 4096];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                for byte in buffer.iter().take(count) {
                    lines.push(*byte, now, &mut |severity, text| syslog.send(severity, text));
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    lines.flush(now, &mut |severity, text| syslog.send(severity, text));
    Ok(())
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The line that is being read.
#[derive(Debug, Default)]
struct Lines {
    line: Vec<u8>,
    /// What its first part was stamped with, and how urgent that was.
    continued: Option<(String, Severity)>,
}

impl Lines {
    fn push(
        &mut self,
        byte: u8,
        clock: impl Fn() -> Duration,
        send: &mut impl FnMut(Severity, &[u8]),
    ) {
        if byte == b'\n' {
            self.flush(clock, send);
            self.continued = None;
            return;
        }
        if self.line.len() == LONGEST {
            self.flush(clock, send);
        }
        self.line.push(if matches!(byte, b' '..=b'~') { byte } else { b'?' });
    }

    /// Sends what there is of the line; nothing for an empty one.
    fn flush(&mut self, clock: impl Fn() -> Duration, send: &mut impl FnMut(Severity, &[u8])) {
        if self.line.is_empty() {
            return;
        }
        let line = std::mem::take(&mut self.line);
        let (mark, (stamp, severity)) = match self.continued.take() {
            Some(continued) => ("+", continued),
            None => (" ", (stamp(clock()), Severity::of(&line))),
        };
        send(severity, &[stamp.as_bytes(), mark.as_bytes(), &line].concat());
        self.continued = Some((stamp, severity));
    }
}

fn stamp(time: Duration) -> String {
    format!("{}.{:06}", time.as_secs(), time.subsec_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(input: &[u8]) -> Vec<(Severity, String)> {
        let mut lines = Lines::default();
        let mut sent = Vec::new();
        let clock = || Duration::new(1_700_000_000, 42_000);
        let mut send = |severity, text: &[u8]| {
            sent.push((severity, String::from_utf8_lossy(text).into_owned()));
        };
        for byte in input {
            lines.push(*byte, clock, &mut send);
        }
        lines.flush(clock, &mut send);
        sent
    }

    #[test]
    fn each_line_is_stamped_and_empty_ones_are_skipped() {
        let info = |text: &str| (Severity::Info, format!("1700000000.000042 {text}"));
        assert_eq!(messages(b"one\n\n\ntwo\n"), [info("one"), info("two")]);
    }

    #[test]
    fn a_line_says_itself_how_urgent_it_is() {
        let severities: Vec<_> = messages(b"alert: a\nwarning: b\nalert\nx warning:\n")
            .into_iter()
            .map(|(severity, _)| severity)
            .collect();
        let expected = [Severity::Alert, Severity::Warning, Severity::Info, Severity::Info];
        assert_eq!(severities, expected);
    }

    #[test]
    fn a_long_line_goes_on_with_the_same_stamp_and_urgency() {
        let line = [b"alert: ".as_slice(), &[b'x'; 799 * 2], b"\nnext\n"].concat();
        let sent = messages(&line);
        assert_eq!(sent.len(), 4);
        assert!(sent.iter().take(3).all(|(severity, _)| *severity == Severity::Alert));
        assert!(sent[1].1.starts_with("1700000000.000042+xxx"));
        assert_eq!(sent[1].1.len(), "1700000000.000042+".len() + 799);
        assert_eq!(sent[2].1, format!("1700000000.000042+{}", "x".repeat(7)));
        assert_eq!(sent[3], (Severity::Info, "1700000000.000042 next".to_owned()));
    }

    #[test]
    fn exactly_the_longest_line_does_not_go_on() {
        assert_eq!(messages(&[&[b'x'; 799][..], b"\n"].concat()).len(), 1);
    }

    #[test]
    fn what_is_not_printable_is_shown_as_question_marks() {
        assert_eq!(messages(b"a\0\x1b\xe9\tb\n")[0].1, "1700000000.000042 a????b");
    }

    #[test]
    fn a_last_line_without_an_end_is_not_lost() {
        assert_eq!(messages(b"one\ntwo").len(), 2);
    }

    #[test]
    fn the_header_has_tag_and_facility() {
        let header = |words: &[&str]| Header::parse(words.iter().map(OsString::from));
        assert_eq!(header(&[]).message(Severity::Info, b"x"), b"<22>splogger: x");
        assert_eq!(header(&["qmail"]).message(Severity::Alert, b"x"), b"<17>qmail: x");
        assert_eq!(header(&["q", "16"]).message(Severity::Warning, b"x"), b"<132>q: x");
        assert_eq!(header(&["q", "99999999999999999999"]).facility, 127);
    }

    #[test]
    fn messages_reach_the_socket_and_a_missing_one_is_no_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let syslog = Syslog::new(&path, Header::parse(["qmail".into()]));
        pass_on(&mut &b"lost\n"[..], &syslog).unwrap();
        let socket = UnixDatagram::bind(&path).unwrap();
        pass_on(&mut &b"status: exiting\n"[..], &syslog).unwrap();
        let mut buffer = [0; 100];
        let count = socket.recv(&mut buffer).unwrap();
        let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
        assert!(text.starts_with("<22>qmail: "), "{text}");
        assert!(text.ends_with(" status: exiting"), "{text}");
    }
}
