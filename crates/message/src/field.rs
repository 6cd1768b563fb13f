//! Header fields and the names of those that qmail knows.

/// The longest field, with its name, in bytes; what is longer is refused rather than stored.
pub const MAXIMUM_LENGTH: usize = 1 << 20;

/// A field that qmail treats in a way of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "each is the name of a field")]
pub enum Known {
    Sender,
    From,
    ReplyTo,
    To,
    Cc,
    Bcc,
    Date,
    MessageId,
    Subject,
    ResentSender,
    ResentFrom,
    ResentReplyTo,
    ResentTo,
    ResentCc,
    ResentBcc,
    ResentDate,
    ResentMessageId,
    ReturnReceiptTo,
    ErrorsTo,
    ApparentlyTo,
    Received,
    ReturnPath,
    DeliveredTo,
    ContentLength,
    ContentType,
    ContentTransferEncoding,
    NoticeRequestedUponDeliveryTo,
    MailFollowupTo,
}

use Known::*;

const NAMES: [(&str, Known); 28] = [
    ("Sender", Sender),
    ("From", From),
    ("Reply-To", ReplyTo),
    ("To", To),
    ("Cc", Cc),
    ("Bcc", Bcc),
    ("Date", Date),
    ("Message-ID", MessageId),
    ("Subject", Subject),
    ("Resent-Sender", ResentSender),
    ("Resent-From", ResentFrom),
    ("Resent-Reply-To", ResentReplyTo),
    ("Resent-To", ResentTo),
    ("Resent-Cc", ResentCc),
    ("Resent-Bcc", ResentBcc),
    ("Resent-Date", ResentDate),
    ("Resent-Message-ID", ResentMessageId),
    ("Return-Receipt-To", ReturnReceiptTo),
    ("Errors-To", ErrorsTo),
    ("Apparently-To", ApparentlyTo),
    ("Received", Received),
    ("Return-Path", ReturnPath),
    ("Delivered-To", DeliveredTo),
    ("Content-Length", ContentLength),
    ("Content-Type", ContentType),
    ("Content-Transfer-Encoding", ContentTransferEncoding),
    ("Notice-Requested-Upon-Delivery-To", NoticeRequestedUponDeliveryTo),
    ("Mail-Followup-To", MailFollowupTo),
];

impl Known {
    /// Which of them `field` is, if any. Case does not matter, nor blanks before the colon.
    pub fn of(field: &[u8]) -> Option<Self> {
        let name = name(field)?;
        let is_name = |(known, _): &&(&str, Self)| known.as_bytes().eq_ignore_ascii_case(name);
        NAMES.iter().find(is_name).map(|(_, known)| *known)
    }

    /// Whether it makes a message a resent one.
    pub const fn is_resent(self) -> bool {
        matches!(
            self,
            ResentSender
                | ResentFrom
                | ResentReplyTo
                | ResentTo
                | ResentCc
                | ResentBcc
                | ResentDate
                | ResentMessageId
        )
    }
}

/// The known fields that a header has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen(u32);

impl Seen {
    /// Notes one.
    pub const fn insert(&mut self, known: Known) {
        self.0 |= 1 << known as u8;
    }

    /// Whether it was noted.
    pub const fn contains(self, known: Known) -> bool {
        self.0 & 1 << known as u8 != 0
    }
}

/// The name of a field: what stands before the colon, without blanks at its end. `None` if it has a
/// byte that no name may have, so that this is not a field.
pub fn name(field: &[u8]) -> Option<&[u8]> {
    let colon = field.iter().position(|byte| *byte == b':')?;
    let before = field.get(..colon)?;
    let end = before.iter().rposition(|byte| !matches!(byte, b' ' | b'\t'))? + 1;
    let name = before.get(..end)?;
    name.iter().all(u8::is_ascii_graphic).then_some(name)
}

/// What stands behind the colon, without blanks and line ends before it.
pub fn contents(field: &[u8]) -> &[u8] {
    let colon = field.iter().position(|byte| *byte == b':');
    let after = colon.and_then(|colon| field.get(colon + 1..)).unwrap_or_default();
    let start = after.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    start.and_then(|start| after.get(start..)).unwrap_or_default()
}

/// `field` on one line and without its line end: each line end before a blank is taken out.
pub fn unfold(field: &[u8]) -> Vec<u8> {
    let mut unfolded: Vec<u8> = Vec::with_capacity(field.len());
    for line in field.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            None => unfolded.extend_from_slice(line),
            Some(line) => {
                let returns = line.iter().rev().take_while(|byte| **byte == b'\r').count();
                unfolded.extend_from_slice(line.get(..line.len() - returns).unwrap_or_default());
            }
        }
    }
    unfolded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_case_and_with_blanks_before_the_colon() {
        assert_eq!(Known::of(b"to: x\n"), Some(To));
        assert_eq!(Known::of(b"MESSAGE-id \t: x\n"), Some(MessageId));
        assert_eq!(Known::of(b"X-To: x\n"), None);
        assert_eq!(Known::of(b"To x: y\n"), None);
        assert_eq!(Known::of(b"To\n"), None);
    }

    #[test]
    fn each_name_is_its_own() {
        let mut seen = Seen::default();
        for (name, known) in NAMES {
            assert_eq!(Known::of(format!("{name}:").as_bytes()), Some(known));
            assert!(!seen.contains(known));
            seen.insert(known);
            assert!(seen.contains(known));
        }
    }

    #[test]
    fn a_name_is_printable_and_not_empty() {
        assert_eq!(name(b"a(b)c: d"), Some(b"a(b)c".as_slice()));
        for bad in [b": x".as_slice(), b"  : x", b"a b: x", b"a\xe9: x", b"a\0: x", b"x"] {
            assert_eq!(name(bad), None);
        }
    }

    #[test]
    fn contents_begin_behind_the_colon_and_blanks() {
        assert_eq!(contents(b"Subject:\n \t hello: x\n"), b"hello: x\n");
        assert_eq!(contents(b"Subject: \n"), b"");
    }

    #[test]
    fn unfolding_takes_line_ends_out_and_leaves_other_returns() {
        assert_eq!(unfold(b"To: a\n b,\r\n\tc\rd\r\n"), b"To: a b,\tc\rd");
        assert_eq!(unfold(b"To: a"), b"To: a");
    }
}
