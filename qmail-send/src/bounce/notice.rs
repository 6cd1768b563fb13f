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
    /// `doublebounceto@doublebouncehost`, unless nobody is to get them.
    pub double_bounces_to: Option<Vec<u8>>,
    /// What bounces say.
    pub bounce: Words,
    /// What double bounces say.
    pub double_bounce: Words,
    /// `bouncemaxbytes`: how much of the message they have, unless that is all.
    pub most: Option<u64>,
}

/// Words of the administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    /// Of the header.
    pub subject: Vec<u8>,
    /// All that stands before the failures, unless that is what it always was.
    pub introduction: Option<Vec<u8>>,
}

/// What is to be done about failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// The bounce of a bounce has bounced: nobody is left to be told.
    DiscardTriple,
    /// A bounce has bounced, and nobody wants to be told.
    DiscardDouble,
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
struct Kind {
    sorry: &'static str,
    below: &'static str,
}

const BOUNCE: Kind = Kind {
    sorry: "I'm afraid I wasn't able to deliver your message to the following addresses.\n\
            This is a permanent error; I've given up. Sorry it didn't work out.\n",
    below: "--- Below this line is a copy of the message.\n",
};

const DOUBLE_BOUNCE: Kind = Kind {
    sorry: "I tried to deliver a bounce message to this address, but the bounce bounced!\n",
    below: "--- Below this line is the original bounce.\n",
};

/// Decides about the failures of a message from `sender`; `now` is in seconds since 1970.
pub(crate) fn plan(sender: &EnvelopeSender, settings: &BounceSettings, now: u64) -> Plan {
    let address = sender.bounce_address();
    // Told apart without the suffix of VERP: `#@[]-@[]` is nobody, either.
    match EnvelopeSender::parse(&address) {
        EnvelopeSender::DoubleBounce => Plan::DiscardTriple,
        EnvelopeSender::Bounce => match settings.double_bounces_to.clone() {
            Some(recipient) => {
                let words = (&DOUBLE_BOUNCE, &settings.double_bounce);
                Plan::Send(notice(words, b"#@[]", recipient, b"", settings, now))
            }
            None => Plan::DiscardDouble,
        },
        EnvelopeSender::PerRecipient { .. } | EnvelopeSender::Ordinary(_) => {
            let words = (&BOUNCE, &settings.bounce);
            Plan::Send(notice(words, b"", address.clone(), &address, settings, now))
        }
    }
}

fn notice(
    (kind, words): (&Kind, &Words),
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
        b"\nSubject: ",
        &words.subject,
        b"\n\n",
        &introduction(kind, words, settings),
        b"\n",
    ]
    .concat();
    let return_path = quote(&one_line(return_path));
    let tail = [kind.below.as_bytes(), b"\nReturn-Path: <", &return_path, b">\n"].concat();
    Notice { sender, recipient, head, tail }
}

/// A paragraph, with the end of its last line.
fn introduction(kind: &Kind, words: &Words, settings: &BounceSettings) -> Vec<u8> {
    match &words.introduction {
        Some(text) => [text.trim_ascii_end(), b"\n"].concat(),
        None => {
            let first =
                [b"Hi. This is the qmail-send program at ", settings.host.as_slice(), b".\n"];
            [&first.concat(), kind.sorry.as_bytes()].concat()
        }
    }
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
            double_bounces_to: Some(b"postmaster@there.example".to_vec()),
            bounce: words(),
            double_bounce: words(),
            most: None,
        }
    }

    fn words() -> Words {
        Words { subject: b"failure notice".to_vec(), introduction: None }
    }

    fn sent(sender: &[u8]) -> Notice {
        match plan(&EnvelopeSender::parse(sender), &settings(), 1_795_251_978) {
            Plan::Send(notice) => notice,
            Plan::DiscardDouble | Plan::DiscardTriple => panic!("discarded"),
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
            assert_eq!(plan(&sender, &settings(), 0), Plan::DiscardTriple);
        }
    }

    #[test]
    fn the_administrator_may_have_words_of_his_own() {
        let bounce = Words {
            subject: b"sorry".to_vec(),
            introduction: Some(b"Hi. This is me.\n\n".to_vec()),
        };
        let settings = BounceSettings { bounce, double_bounces_to: None, ..settings() };
        let Plan::Send(notice) = plan(&EnvelopeSender::parse(b"a@b"), &settings, 0) else {
            panic!("discarded")
        };
        assert!(text(&notice.head).ends_with("\nSubject: sorry\n\nHi. This is me.\n\n"));
        // And want to hear nothing of double bounces.
        assert_eq!(plan(&EnvelopeSender::parse(b""), &settings, 0), Plan::DiscardDouble);
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
