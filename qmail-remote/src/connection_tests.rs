//! Connections made of byte slices.

use std::io::Write;

use super::*;
use crate::dialogue::Terms;
use crate::envelope::Envelope;

/// A server that has said everything beforehand, and breaks after so many written bytes.
struct Script<'s> {
    says: &'s [u8],
    /// What it says at once.
    piece: usize,
    heard: Vec<u8>,
    patience: usize,
}

impl Read for &mut Script<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.piece.min(self.says.len()).min(buffer.len());
        buffer[..length].copy_from_slice(&self.says[..length]);
        self.says = &self.says[length..];
        Ok(length)
    }
}

impl Write for &mut Script<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.heard.len() + bytes.len() > self.patience {
            return Err(ErrorKind::BrokenPipe.into());
        }
        self.heard.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Channel for &mut Script<'_> {
    fn renew(&mut self) {}

    fn secure(&mut self) -> Result<qmail_tls::Session, TlsFailure> {
        Err(TlsFailure::Spoke)
    }
}

fn converse(script: &mut Script<'_>, mut message: impl Read) -> String {
    let envelope = Envelope::new(b"", &[b"r@x".to_vec()]).unwrap();
    let terms = Terms { greeting_name: b"h", ..crate::dialogue::tests::terms(&envelope) };
    let step = Dialogue::begin(&terms, crate::dialogue::tests::records());
    let ending = Connection::new(script).converse(step, &mut message, |_| String::new());
    let (Ending::Final(report) | Ending::TryNext(report) | Ending::Again(_, report)) = ending;
    String::from_utf8(report.as_bytes().to_vec()).unwrap().replace('\0', "|")
}

const REPLIES: &[u8] =
    b"220-a\r\n220 b\r\n250 c\r\n250 d\r\n250 e\r\n354 f\r\n250-g\r\n250 h\r\n221 i\r\n";
const COMMANDS: &str = "EHLO h\r\nMAIL FROM:<>\r\nRCPT TO:<r@x>\r\nDATA\r\n";
const ACCEPTED: &str = "r|K192.0.2.1 accepted message.\nRemote host said: 250-g\n250 h\n|";

fn script(says: &[u8], piece: usize, patience: usize) -> Script<'_> {
    Script { says, piece, heard: Vec::new(), patience }
}

#[test]
fn replies_may_come_in_any_pieces() {
    for piece in 1..=REPLIES.len() {
        let mut server = script(REPLIES, piece, usize::MAX);
        assert_eq!(converse(&mut server, b"m\n.\n".as_slice()), ACCEPTED, "{piece}");
        let heard = String::from_utf8(server.heard).unwrap();
        assert_eq!(heard, format!("{COMMANDS}m\r\n..\r\n.\r\nQUIT\r\n"));
    }
}

#[test]
fn a_long_message_goes_in_blocks_and_arrives_whole() {
    let message = b"a line of a message\n".repeat(50_000);
    let mut server = script(REPLIES, 100, usize::MAX);
    assert_eq!(converse(&mut server, message.as_slice()), ACCEPTED);
    let wire = b"a line of a message\r\n".repeat(50_000);
    let expected = [COMMANDS.as_bytes(), &wire, b".\r\nQUIT\r\n"].concat();
    assert!(server.heard == expected);
}

#[test]
fn a_server_that_is_gone_at_goodbye_has_accepted_all_the_same() {
    let all = COMMANDS.len() + b"m\r\n.\r\n".len();
    let mut server = script(REPLIES, 100, all);
    assert_eq!(converse(&mut server, b"m\n".as_slice()), ACCEPTED);
    let mut server = script(REPLIES, 100, all - 1);
    let report = converse(&mut server, b"m\n".as_slice());
    let duplicate = "ZConnected to 192.0.2.1 but connection died. Possible duplicate! (#4.4.2)\n|";
    assert_eq!(report, format!("r|{duplicate}"));
}

#[test]
fn wherever_the_server_stops_talking_it_has_not_accepted() {
    let end = REPLIES.len() - "\n221 i\r\n".len();
    for length in 0..end {
        let mut server = script(&REPLIES[..length], 100, usize::MAX);
        let report = converse(&mut server, b"m\n".as_slice());
        assert!(report.contains("ZConnected to 192.0.2.1 but connection died."), "{report}");
    }
}

#[test]
fn a_partial_last_line_is_refused_before_the_end() {
    let mut server = script(REPLIES, 100, usize::MAX);
    let report = converse(&mut server, b"m\nx".as_slice());
    let expected = "r|DSMTP cannot transfer messages with partial final lines. (#5.6.2)\n|";
    assert_eq!(report, expected);
    assert!(!server.heard.ends_with(b".\r\n") && !server.heard.ends_with(b"QUIT\r\n"));
}

#[test]
fn an_unreadable_message_is_dropped_before_the_end() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::Other.into())
        }
    }
    let mut server = script(REPLIES, 100, usize::MAX);
    let report = converse(&mut server, b"m\n".chain(Broken));
    assert_eq!(report, "r|ZUnable to read message. (#4.3.0)\n|");
    assert_eq!(server.heard, COMMANDS.as_bytes());
}

#[test]
fn a_server_that_never_stops_talking_is_left() {
    let endless = b"220-hi\r\n".repeat(100_000);
    let report = converse(&mut script(&endless, 4096, usize::MAX), b"m\n".as_slice());
    assert_eq!(report, "ZConnected to 192.0.2.1 but connection died. (#4.4.2)\n|");
}
