//! What qmail-remote says: a record about the recipient, `r`, `h` or `s`, then one about the
//! message, `K`, `Z` or `D`, each ended by a NUL.
//!
//! netqmail believes the first record about the message that it finds, and bounces mail where
//! records are missing. Here the last one counts, and what is missing or is no record means later:
//! a line that a loader writes between must not bounce mail, nor lose it. Nor must it have a message
//! sent again that was accepted.

use qmail_spawn::Output;
use qmail_sys::Exit;
use qmail_wire::spawn::Verdict;

/// Bytes of a record that are kept: two of them fit into a report.
const RECORD_LIMIT: usize = 4_900;

/// What one qmail-remote has said.
#[derive(Debug, Default)]
pub struct RemoteOutput {
    /// The record that has not ended yet.
    partial: Vec<u8>,
    recipient: Option<Record<Recipient>>,
    message: Option<Record<Verdict>>,
    /// There was a record that is neither: somebody else wrote, a loader or the shell of a wrapper.
    has_noise: bool,
    /// There was a second recipient, and only one was asked for.
    is_contradictory: bool,
    /// The last record was that of the message.
    is_judged: bool,
    is_silent: Silence,
}

#[derive(Debug)]
struct Record<L> {
    letter: L,
    text: Vec<u8>,
}

/// What the other side said of the recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recipient {
    Accepted,
    Refused,
    Deferred,
}

/// Whether nothing at all has been said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Silence {
    #[default]
    Silent,
    Broken,
}

impl Output for RemoteOutput {
    fn push(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.is_silent = Silence::Broken;
        }
        for piece in bytes.split_inclusive(|byte| *byte == 0) {
            let (text, ends) =
                piece.strip_suffix(b"\0").map_or((piece, false), |text| (text, true));
            let room = RECORD_LIMIT.saturating_sub(self.partial.len()).min(text.len());
            self.partial.extend_from_slice(text.get(..room).unwrap_or_default());
            if ends {
                self.end_record();
            }
        }
    }

    fn judge(self, exit: Exit) -> (Verdict, Vec<u8>) {
        let said = |verdict, text: &str| (verdict, text.as_bytes().to_vec());
        match exit {
            Exit::Signal(_) => said(Verdict::Temporary, "qmail-remote crashed.\n"),
            Exit::Code(111) => said(Verdict::Temporary, "Unable to run qmail-remote.\n"),
            Exit::Code(1..) => said(Verdict::Permanent, "Unable to run qmail-remote.\n"),
            Exit::Code(0) if self.is_silent == Silence::Silent => {
                said(Verdict::Temporary, "qmail-remote produced no output.\n")
            }
            Exit::Code(0) => self.verdict(),
        }
    }
}

impl RemoteOutput {
    fn end_record(&mut self) {
        let record = std::mem::take(&mut self.partial);
        self.is_judged = false;
        let Some((letter, text)) = record.split_first() else {
            self.has_noise = true;
            return;
        };
        let text = text.to_vec();
        let recipient = match letter {
            b'r' => Some(Recipient::Accepted),
            b'h' => Some(Recipient::Refused),
            b's' => Some(Recipient::Deferred),
            _ => None,
        };
        match (recipient, Verdict::from_letter(*letter)) {
            (Some(letter), _) => {
                self.is_contradictory |= self.recipient.is_some();
                self.recipient = Some(Record { letter, text });
            }
            (None, Some(letter)) => {
                self.message = Some(Record { letter, text });
                self.is_judged = true;
            }
            (None, None) => self.has_noise = true,
        }
    }

    /// The recipient's record can make things worse than the message's, never better.
    fn verdict(self) -> (Verdict, Vec<u8>) {
        let is_whole = self.is_judged && self.partial.is_empty();
        let is_clean = is_whole && !self.has_noise && !self.is_contradictory;
        let is_delivered = self.is_delivered();
        let message = match self.message {
            Some(message) if is_clean => message,
            Some(message) if is_delivered => return (Verdict::Success, message.text),
            _ => {
                return (Verdict::Temporary, b"qmail-remote produced malformed output.\n".to_vec());
            }
        };
        let Some(recipient) = self.recipient else { return (message.letter, message.text) };
        let verdict = match recipient.letter {
            Recipient::Accepted => message.letter,
            Recipient::Refused => Verdict::Permanent,
            Recipient::Deferred => Verdict::Temporary,
        };
        // What was said of the message explains this verdict only if it is no better news.
        let explains = rank(message.letter) <= rank(verdict);
        let more = if explains { message.text } else { Vec::new() };
        (verdict, [recipient.text, more].concat())
    }

    /// Whether the message has arrived, whatever else was written. Nothing follows the verdict, so
    /// what is behind it and never ends is noise; unless the recipient's record is missing: then it
    /// may be the verdict, cut short, and this one have come too early.
    fn is_delivered(&self) -> bool {
        let is_accepted =
            self.message.as_ref().is_some_and(|message| message.letter == Verdict::Success);
        let is_last = match &self.recipient {
            Some(recipient) => recipient.letter == Recipient::Accepted,
            None => self.partial.is_empty(),
        };
        is_accepted && self.is_judged && is_last && !self.is_contradictory
    }
}

fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Permanent => 0,
        Verdict::Temporary => 1,
        Verdict::Success => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The report, which must not depend on how the output arrives.
    fn report(bytes: &[u8], exit: Exit) -> String {
        let told = |pieces: &[&[u8]]| {
            let mut output = RemoteOutput::default();
            pieces.iter().for_each(|piece| output.push(piece));
            let (verdict, text) = output.judge(exit);
            format!("{}{}", char::from(verdict.letter()), String::from_utf8(text).unwrap())
        };
        let whole = told(&[bytes]);
        for cut in 0..bytes.len() {
            let (first, second) = bytes.split_at(cut);
            assert_eq!(told(&[first, second]), whole, "cut at {cut}");
        }
        whole
    }

    fn said(bytes: &[u8]) -> String {
        report(bytes, Exit::Code(0))
    }

    const MALFORMED: &str = "Zqmail-remote produced malformed output.\n";

    #[test]
    fn both_records_make_the_verdict() {
        assert_eq!(said(b"r\0Kaccepted\n\0"), "Kaccepted\n");
        assert_eq!(said(b"r\0Zlater\n\0"), "Zlater\n");
        assert_eq!(said(b"r\0Dnever\n\0"), "Dnever\n");
        assert_eq!(said(b"hno\n\0Dgiving up\n\0"), "Dno\ngiving up\n");
        assert_eq!(said(b"hno\n\0Zlater\n\0"), "Dno\n");
        assert_eq!(said(b"hno\n\0Kaccepted\n\0"), "Dno\n");
        assert_eq!(said(b"sbusy\n\0Dgiving up\n\0"), "Zbusy\ngiving up\n");
        assert_eq!(said(b"sbusy\n\0Zlater\n\0"), "Zbusy\nlater\n");
        assert_eq!(said(b"sbusy\n\0Kaccepted\n\0"), "Zbusy\n");
    }

    #[test]
    fn a_message_record_alone_is_the_verdict() {
        assert_eq!(said(b"ZUnable to read control files.\n\0"), "ZUnable to read control files.\n");
        assert_eq!(said(b"Dno\n\0"), "Dno\n");
        assert_eq!(said(b"Kyes\n\0"), "Kyes\n");
    }

    #[test]
    fn the_last_message_record_counts() {
        assert_eq!(said(b"Kauthenticated\n\0hno\n\0Dgiving up\n\0"), "Dno\ngiving up\n");
        assert_eq!(said(b"Kauthenticated\n\0r\0Zconnection died\n\0"), "Zconnection died\n");
        assert_eq!(said(b"Kauthenticated\n\0Zconnection died\n\0"), "Zconnection died\n");
    }

    #[test]
    fn missing_and_malformed_records_mean_later() {
        for bytes in [
            b"r\0".as_slice(),
            b"hno\n\0",
            b"sbusy\n\0",
            b"r",
            b"Kaccepted",
            b"r\0Kaccepted",
            b"Kaccepted\0trouble",
            b"r\0hno\0Kaccepted\n\0",
            b"ld.so: warning\nr\0Zconnection died\n\0",
            b"ld.so: warning\nr\0Dno\n\0",
            b"ld.so: warning\nhno\n\0Dgiving up\n\0",
            b"Kauthenticated\n\0ld.so: warning\nhno\n\0",
            b"Kauthenticated\n\0r\0Zconnection die",
            b"Kauthenticated\n\0r\0",
            b"Kauthenticated\n\0sbusy\n\0",
        ] {
            assert_eq!(said(bytes), MALFORMED, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn what_others_write_does_not_have_a_message_sent_twice() {
        for bytes in [
            b"ld.so: warning\nr\0Kaccepted\n\0".as_slice(),
            b"\0r\0Kaccepted\n\0",
            b"r\0warning\0Kaccepted\n\0",
            b"r\0Kaccepted\n\0trouble",
            b"r\0Kaccepted\n\0sh: trouble",
        ] {
            assert_eq!(said(bytes), "Kaccepted\n", "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn an_end_that_is_no_verdict_has_its_own_text() {
        assert_eq!(report(b"r\0K\0", Exit::Signal(11)), "Zqmail-remote crashed.\n");
        assert_eq!(report(b"", Exit::Code(111)), "ZUnable to run qmail-remote.\n");
        assert_eq!(report(b"", Exit::Code(100)), "DUnable to run qmail-remote.\n");
        assert_eq!(said(b""), "Zqmail-remote produced no output.\n");
    }

    #[test]
    fn texts_of_any_length_take_bounded_memory_and_keep_the_verdict() {
        let mut output = RemoteOutput::default();
        output.push(b"h");
        (0..1000).for_each(|_| output.push(&[b'x'; 1000]));
        output.push(b"\0D");
        (0..1000).for_each(|_| output.push(&[b'y'; 1000]));
        output.push(b"\0");
        let (verdict, text) = output.judge(Exit::Code(0));
        assert_eq!((verdict, text.len()), (Verdict::Permanent, 2 * (RECORD_LIMIT - 1)));
    }
}
