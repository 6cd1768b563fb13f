//! The message that tells a sender.

use qmail_address::{EnvelopeSender, quote, quote_local};
use qmail_message::date::rfc5322;

/// Who bounces come from, and who gets those that bounce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BounceSettings {
    /// `bouncefrom`.
    pub from: Vec<u8>,
    /// `bouncehost`.
    pub host: Vec<u8>,
    /// `doublebounceto@doublebouncehost`.
    pub double_bounces_to: Vec<u8>,
}

/// What is to be done about failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// The bounce of a bounce has bounced: nobody is left to be told.
    Discard,
    /// Somebody is told.
    Send(Notice),
}

/// A bounce. Its text is `head`, the records of the failures, `tail`, and the message itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// Sender of its envelope: bounces to it are double bounces, or are discarded.
    pub sender: &'static [u8],
    /// Recipient of its envelope.
    pub recipient: Vec<u8>,
    pub head: Vec<u8>,
    pub tail: Vec<u8>,
}

/// The words in which a bounce and a double bounce differ.
struct Words {
    sorry: &'static str,
    below: &'static str,
}

const BOUNCE: Words = Words {
    sorry: "I'm afraid I wasn't able to deliver your message to the following addresses.\n\
            This is a permanent error; I've given up. Sorry it didn't work out.\n",
    below: "--- Below this line is a copy of the message.\n",
};

const DOUBLE_BOUNCE: Words = Words {
    sorry: "I tried to deliver a bounce message to this address, but the bounce bounced!\n",
    below: "--- Below this line is the original bounce.\n",
};

/// Decides about the failures of a message from `sender`; `now` is in seconds since 1970.
pub(crate) fn plan(sender: &EnvelopeSender, settings: &BounceSettings, now: u64) -> Plan {
    let address = sender.bounce_address();
    // Told apart without the suffix of VERP: `#@[]-@[]` is nobody, either.
    match EnvelopeSender::parse(&address) {
        EnvelopeSender::DoubleBounce => Plan::Discard,
        EnvelopeSender::Bounce => {
            let recipient = settings.double_bounces_to.clone();
            Plan::Send(notice(&DOUBLE_BOUNCE, b"#@[]", recipient, b"", settings, now))
        }
        EnvelopeSender::PerRecipient { .. } | EnvelopeSender::Ordinary(_) => {
            Plan::Send(notice(&BOUNCE, b"", address.clone(), &address, settings, now))
        }
    }
}

fn notice(
    words: &Words,
    sender: &'static [u8],
    recipient: Vec<u8>,
    return_path: &[u8],
    settings: &BounceSettings,
    now: u64,
) -> Notice {
    let head = [
        b"Date: ",
        rfc5322(now).as_bytes(),
        b"\nFrom: ",
        &quote_local(&settings.from),
        b"@",
        &settings.host,
        b"\nTo: ",
        &quote(&one_line(&recipient)),
        b"\nSubject: failure notice\n\nHi. This is the qmail-send program at ",
        &settings.host,
        b".\n",
        words.sorry.as_bytes(),
        b"\n",
    ]
    .concat();
    let return_path = quote(&one_line(return_path));
    let tail = [words.below.as_bytes(), b"\nReturn-Path: <", &return_path, b">\n"].concat();
    Notice { sender, recipient, head, tail }
}

/// An address for a header field, which a line break in it would end.
fn one_line(address: &[u8]) -> Vec<u8> {
    address.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> BounceSettings {
        BounceSettings {
            from: b"MAILER-DAEMON".to_vec(),
            host: b"here.example".to_vec(),
            double_bounces_to: b"postmaster@there.example".to_vec(),
        }
    }

    fn sent(sender: &[u8]) -> Notice {
        match plan(&EnvelopeSender::parse(sender), &settings(), 1_795_251_978) {
            Plan::Send(notice) => notice,
            Plan::Discard => panic!("discarded"),
        }
    }

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_bounce_reads_as_it_always_has() {
        let notice = sent(b"joe user@far.example");
        assert_eq!((notice.sender, text(&notice.recipient)), (&b""[..], "joe user@far.example"));
        let head = "Date: 21 Nov 2026 09:06:18 -0000\n\
            From: MAILER-DAEMON@here.example\n\
            To: \"joe user\"@far.example\n\
            Subject: failure notice\n\
            \n\
            Hi. This is the qmail-send program at here.example.\n\
            I'm afraid I wasn't able to deliver your message to the following addresses.\n\
            This is a permanent error; I've given up. Sorry it didn't work out.\n\
            \n";
        assert_eq!(text(&notice.head), head);
        let tail = "--- Below this line is a copy of the message.\n\
            \n\
            Return-Path: <\"joe user\"@far.example>\n";
        assert_eq!(text(&notice.tail), tail);
    }

    #[test]
    fn a_double_bounce_goes_to_the_postmaster() {
        let notice = sent(b"");
        assert_eq!(notice.sender, b"#@[]");
        assert_eq!(text(&notice.recipient), "postmaster@there.example");
        let head = "Date: 21 Nov 2026 09:06:18 -0000\n\
            From: MAILER-DAEMON@here.example\n\
            To: postmaster@there.example\n\
            Subject: failure notice\n\
            \n\
            Hi. This is the qmail-send program at here.example.\n\
            I tried to deliver a bounce message to this address, but the bounce bounced!\n\
            \n";
        assert_eq!(text(&notice.head), head);
        let tail = "--- Below this line is the original bounce.\n\nReturn-Path: <>\n";
        assert_eq!(text(&notice.tail), tail);
    }

    #[test]
    fn a_triple_bounce_goes_to_nobody() {
        for sender in [b"#@[]".as_slice(), b"#@[]-@[]"] {
            let sender = EnvelopeSender::parse(sender);
            assert_eq!(plan(&sender, &settings(), 0), Plan::Discard);
        }
    }

    #[test]
    fn a_verp_sender_is_told_without_the_suffix() {
        let notice = sent(b"owner-@far.example-@[]");
        assert_eq!(text(&notice.recipient), "owner-@far.example");
        assert!(text(&notice.tail).ends_with("Return-Path: <owner-@far.example>\n"));
    }

    #[test]
    fn a_line_break_in_an_address_makes_no_header_field() {
        let notice = sent(b"a\r\nBcc: you@far.example");
        assert!(text(&notice.head).contains("\nTo: \"aBcc: you\"@far.example\nSubject: "));
        assert!(text(&notice.tail).ends_with("\nReturn-Path: <\"aBcc: you\"@far.example>\n"));
        assert_eq!(notice.recipient, b"a\r\nBcc: you@far.example");
    }
}
