//! Transcripts: replies in, commands and report out.

use super::*;

/// Terms without anything special.
pub(crate) fn terms(envelope: &Envelope) -> Terms<'_> {
    Terms {
        greeting_name: b"here.example",
        envelope,
        message: Facts { length: Some(100), eight_bit: true },
        peer: "192.0.2.1".parse().unwrap(),
        hello: Hello::Extended,
        security: Security::IfItWorks,
        credentials: None,
        clear_credentials: false,
        tls_file: "control/tlshosts/mx.pem",
    }
}

pub(crate) fn records() -> Records {
    styled(crate::report::Style::Classic)
}

fn styled(style: crate::report::Style) -> Records {
    Records::new(crate::report::Subject {
        style,
        sender: b"s@here.example".to_vec(),
        recipient: b"r@there.example".to_vec(),
        host: b"mx".to_vec(),
        peer: "192.0.2.1".parse().unwrap(),
    })
}

const SESSION: Session = Session { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256" };

fn envelope(recipients: &[&str]) -> Envelope {
    let recipients: Vec<Vec<u8>> = recipients.iter().map(|one| one.as_bytes().to_vec()).collect();
    Envelope::new(b"s@here.example", &recipients).unwrap()
}

/// Plays a dialogue: a reply for each step; `TLS` is a handshake that succeeds, `!` one that
/// fails. Returns what was said (`<message>` for the message) and the ending.
fn enact(terms: &Terms<'_>, records: Records, replies: &[&str]) -> (Vec<String>, Ending) {
    let mut step = Dialogue::begin(terms, records);
    let mut said = Vec::new();
    let mut replies = replies.iter();
    loop {
        let dialogue = match step {
            Step::Listen(dialogue) => dialogue,
            Step::Say(dialogue, command) => {
                said.extend(String::from_utf8(command).unwrap().lines().map(str::to_owned));
                dialogue
            }
            Step::Secure(dialogue) => match replies.next() {
                Some(&"TLS") => {
                    step = dialogue.secured(SESSION);
                    continue;
                }
                Some(_) => return (said, dialogue.insecure("TLS connect failed: x; connected")),
                None => return (said, dialogue.lost(Lost::Closed)),
            },
            Step::SendMessage(dialogue) => {
                said.push("<message>".into());
                dialogue.ending()
            }
            Step::Over(ending) => return (said, ending),
        };
        step = match replies.next() {
            Some(text) => dialogue.handle(&reply(text)),
            None => return (said, dialogue.lost(Lost::Closed)),
        };
    }
}

fn play(recipients: &[&str], replies: &[&str]) -> (Vec<String>, String) {
    let envelope = envelope(recipients);
    let (said, ending) = enact(&terms(&envelope), records(), replies);
    (said, text_of(&ending))
}

fn reply(text: &str) -> Reply {
    let line = format!("{}\r\n", text.replace('\n', "\r\n"));
    qmail_wire::smtp_client::ReplyParser::new().feed(&mut line.as_bytes()).unwrap().unwrap()
}

fn text_of(ending: &Ending) -> String {
    let (Ending::Final(report) | Ending::TryNext(report) | Ending::Again(_, report)) = ending;
    String::from_utf8(report.as_bytes().to_vec()).unwrap().replace('\0', "|")
}

fn report(recipients: &[&str], replies: &[&str]) -> String {
    play(recipients, replies).1
}

const ONE: &[&str] = &["r@there.example"];

#[test]
fn a_message_is_accepted() {
    let replies = ["220 hi", "250 hello", "250 ok", "250 ok", "354 go", "250 ok queued"];
    let (said, report) = play(ONE, &replies);
    let expected = [
        "EHLO here.example",
        "MAIL FROM:<s@here.example>",
        "RCPT TO:<r@there.example>",
        "DATA",
        "<message>",
    ];
    assert_eq!(said, expected);
    assert_eq!(report, "r|K192.0.2.1 accepted message.\nRemote host said: 250 ok queued\n|");
}

#[test]
fn the_empty_sender_stays_empty() {
    let envelope = Envelope::new(b"", &[b"r".to_vec()]).unwrap();
    let (said, _) = enact(&terms(&envelope), records(), &["220 hi", "250 hi"]);
    assert_eq!(said[1], "MAIL FROM:<>");
}

#[test]
fn until_the_sender_every_refusal_is_later() {
    for (replies, what) in [
        (&["421 busy"][..], "greeting failed.\nRemote host said: 421 busy"),
        (&["554 no"], "greeting failed.\nRemote host said: 554 no"),
        (&["250 odd"], "greeting failed.\nRemote host said: 250 odd"),
        (&["220 hi", "421 who"], "my name was rejected.\nRemote host said: 421 who"),
        (&["220 hi", "502 ?", "550 who"], "my name was rejected.\nRemote host said: 550 who"),
        (&["220 hi", "x", "220 hi"], "my name was rejected.\nRemote host said: 220 hi"),
    ] {
        assert_eq!(report(ONE, replies), format!("ZConnected to 192.0.2.1 but {what}\n|"));
    }
}

#[test]
fn the_class_of_a_refusal_decides() {
    let all = ["220 hi", "250 hi", "250 ok", "250 ok", "354 go", "250 ok"];
    for (at, what) in [
        (2, "Connected to 192.0.2.1 but sender was rejected.\n"),
        (4, "192.0.2.1 failed on DATA command.\n"),
        (5, "192.0.2.1 failed after I sent the message.\n"),
    ] {
        let records = if at > 3 { "r|" } else { "" };
        for (text, letter) in
            [("450 x", 'Z'), ("550 x", 'D'), ("abc x", 'Z'), ("650 x", 'Z'), ("150 x", 'Z')]
        {
            let mut replies = all;
            replies[at] = text;
            let expected = format!("{records}{letter}{what}Remote host said: {text}\n|");
            assert_eq!(report(ONE, &replies), expected);
        }
    }
}

#[test]
fn recipients_are_judged_one_by_one() {
    let replies = [
        "220 hi",
        "250 hi",
        "250 ok",
        "250 ok",
        "550 no such user",
        "450 full",
        "354 go",
        "250 ok",
    ];
    let (said, report) = play(&["a@x", "b@x", "c@x"], &replies);
    assert_eq!(said[2..6], ["RCPT TO:<a@x>", "RCPT TO:<b@x>", "RCPT TO:<c@x>", "DATA"]);
    let expected = "r|h192.0.2.1 does not like recipient.\nRemote host said: 550 no such user\n|\
                    s192.0.2.1 does not like recipient.\nRemote host said: 450 full\n|\
                    K192.0.2.1 accepted message.\nRemote host said: 250 ok\n|";
    assert_eq!(report, expected);
}

#[test]
fn without_a_recipient_the_server_is_given_up() {
    for (text, letter) in [("550 no", 'h'), ("450 no", 's'), ("?", 's')] {
        let expected = format!(
            "{letter}192.0.2.1 does not like recipient.\nRemote host said: {text}\n|\
             DGiving up on 192.0.2.1.\n|"
        );
        assert_eq!(report(ONE, &["220 hi", "250 hi", "250 ok", text]), expected);
    }
}

#[test]
fn any_promise_is_enough_for_an_address_but_not_for_a_message() {
    let replies = ["220 hi", "250 hi", "354 odd", "251 ok", "250 odd"];
    let failed = "r|Z192.0.2.1 failed on DATA command.\nRemote host said: 250 odd\n|";
    assert_eq!(report(ONE, &replies), failed);
    let replies = ["220 hi", "250 hi", "250 ok", "250 ok", "354 go", "354 go"];
    let failed = "r|Z192.0.2.1 failed after I sent the message.\nRemote host said: 354 go\n|";
    assert_eq!(report(ONE, &replies), failed);
}

#[test]
fn a_nul_from_the_server_does_not_end_the_record() {
    let text = report(ONE, &["421 a\0b"]);
    let expected = "ZConnected to 192.0.2.1 but greeting failed.\nRemote host said: 421 a?b\n|";
    assert_eq!(text, expected);
}

#[test]
fn a_lost_connection_is_later_and_perhaps_a_duplicate() {
    let replies = ["220 hi", "250 hi", "250 ok", "250 ok", "354 go"];
    let plain = "ZConnected to 192.0.2.1 but connection died. (#4.4.2)\n|";
    for count in 0..4 {
        assert_eq!(report(ONE, &replies[..count]), plain);
    }
    assert_eq!(report(ONE, &replies[..4]), format!("r|{plain}"));
    let duplicate =
        "r|ZConnected to 192.0.2.1 but connection died. Possible duplicate! (#4.4.2)\n|";
    assert_eq!(report(ONE, &replies), duplicate);
}

/// However replies are chosen, there is one verdict, it is last, and K needs a 2yz for the message.
#[test]
fn no_sequence_of_replies_makes_a_verdict_too_early() {
    let choices = ["220 x", "250 x", "354 x", "450 x", "550 x", "x"];
    for number in 0..choices.len().pow(6) {
        let mut rest = number;
        let mut replies = Vec::new();
        for _ in 0..6 {
            replies.push(choices[rest % choices.len()]);
            rest /= choices.len();
        }
        let report = report(ONE, &replies);
        let records: Vec<&str> = report.split_terminator('|').collect();
        let (verdict, recipients) = records.split_last().unwrap();
        assert!(verdict.starts_with(['K', 'Z', 'D']), "{replies:?}");
        assert!(recipients.iter().all(|record| record.starts_with(['r', 'h', 's'])));
        if verdict.starts_with('K') {
            assert_eq!((replies[4], replies[5].as_bytes()[0]), ("354 x", b'2'), "{replies:?}");
            assert_eq!(recipients, ["r"]);
        }
    }
}

const OFFER: &str = "250-mx\n250-PIPELINING\n250-SIZE 1000\n250 8BITMIME";

#[test]
fn a_server_that_pipelines_gets_everything_at_once() {
    let (said, report) =
        play(&["a@x", "b@x"], &["220 hi", OFFER, "250 ok", "550 no", "250 ok", "354 go", "250 ok"]);
    let expected = [
        "EHLO here.example",
        "MAIL FROM:<s@here.example> SIZE=100 BODY=8BITMIME",
        "RCPT TO:<a@x>",
        "RCPT TO:<b@x>",
        "DATA",
        "<message>",
    ];
    assert_eq!(said, expected);
    let expected = "h192.0.2.1 does not like recipient.\nRemote host said: 550 no\n|r|\
                    K192.0.2.1 accepted message.\nRemote host said: 250 ok\n|";
    assert_eq!(report, expected);
}

#[test]
fn no_message_is_sent_for_nobody_even_if_it_is_invited() {
    let (said, report) = play(ONE, &["220 hi", OFFER, "250 ok", "550 no", "354 go", "250 ok"]);
    assert!(!said.contains(&"<message>".to_owned()));
    assert!(report.ends_with("|DGiving up on 192.0.2.1.\n|"), "{report}");
    let (said, report) = play(ONE, &["220 hi", OFFER, "450 no", "250 ok", "354 go", "250 ok"]);
    assert!(!said.contains(&"<message>".to_owned()));
    assert!(report.starts_with("ZConnected to 192.0.2.1 but sender was rejected."), "{report}");
}

#[test]
fn a_message_that_is_too_large_is_not_even_tried() {
    let (said, report) = play(ONE, &["220 hi", "250-mx\n250 SIZE 99"]);
    assert_eq!(said, ["EHLO here.example"]);
    assert!(report.starts_with('D') && report.contains("over 99 bytes"), "{report}");
}

#[test]
fn a_server_that_does_not_know_ehlo_hears_helo() {
    for refusal in ["500 ?", "502 ?", "550 no", "220 x", "x"] {
        let replies = ["220 hi", refusal, "250 hi", "250 ok", "250 ok", "354 go", "250 ok"];
        let (said, report) = play(ONE, &replies);
        assert_eq!(said[1..3], ["HELO here.example", "MAIL FROM:<s@here.example>"]);
        assert!(report.starts_with("r|K"), "{report}");
    }
}

#[test]
fn only_a_server_that_did_not_let_us_begin_is_left_for_another() {
    let envelope = envelope(ONE);
    let end = |replies: &[&str]| enact(&terms(&envelope), records(), replies).1;
    for replies in [&[][..], &["421 x"], &["554 x"], &["?"], &["220 x", "421 x"]] {
        assert!(matches!(end(replies), Ending::TryNext(_)), "{replies:?}");
    }
    assert!(matches!(end(&["220 x"]), Ending::Again(Without::Ehlo, _)));
    assert!(matches!(end(&["220 x", "500 x"]), Ending::TryNext(_)));
    for count in 2..7 {
        let all = ["220 x", "250 x", "250 x", "250 x", "354 x", "450 x"];
        assert!(matches!(end(&all[..count.min(6)]), Ending::Final(_)), "{count}");
    }
}

const STARTTLS: &str = "250-mx\n250 STARTTLS";

#[test]
fn tls_is_used_where_it_works_and_demanded_where_it_must() {
    let envelope = envelope(ONE);
    let end = |security, replies: &[&str]| {
        enact(&Terms { security, ..terms(&envelope) }, records(), replies)
    };
    let whole = ["220 x", STARTTLS, "220 x", "TLS", "250 x", "250 x", "250 x", "354 x", "250 x"];
    for security in [Security::IfItWorks, Security::IfOffered, Security::Required] {
        let (said, ending) = end(security, &whole);
        assert_eq!(said[1..4], ["STARTTLS", "EHLO here.example", "MAIL FROM:<s@here.example>"]);
        assert!(matches!(ending, Ending::Final(_)) && text_of(&ending).starts_with("r|K"));
    }
    let failed = ["220 x", STARTTLS, "220 x", "!"];
    let text = "ZTLS connect failed: x; connected to 192.0.2.1.\n|";
    assert!(matches!(end(Security::IfItWorks, &failed).1, Ending::Again(Without::Tls, _)));
    for security in [Security::IfOffered, Security::Required] {
        let ending = end(security, &failed).1;
        assert!(matches!(ending, Ending::TryNext(_)));
        assert_eq!(text_of(&ending), text);
    }
    let (_, ending) = end(Security::Required, &["220 x", STARTTLS, "454 x"]);
    let text = "ZSTARTTLS rejected while control/tlshosts/mx.pem exists; connecting to 192.0.2.1.\n\
                Remote host said: 454 x\n|";
    assert_eq!(text_of(&ending), text);
    let (_, ending) = end(Security::Required, &["220 x", "250 x"]);
    let text = "ZNo TLS achieved while control/tlshosts/mx.pem exists; connecting to 192.0.2.1.\n|";
    assert_eq!(text_of(&ending), text);
    let (said, _) = end(Security::IfOffered, &["220 x", STARTTLS, "454 x"]);
    assert_eq!(said.last().unwrap(), "MAIL FROM:<s@here.example>");
    let (said, _) = end(Security::Never, &["220 x", STARTTLS]);
    assert_eq!(said.last().unwrap(), "MAIL FROM:<s@here.example>");
    let (said, _) = end(Security::Implicit, &["TLS", "220 x"]);
    assert_eq!(said, ["EHLO here.example"]);
    let (_, ending) = end(Security::Implicit, &["TLS", "421 x"]);
    assert!(text_of(&ending).starts_with("ZTLS Connected to 192.0.2.1 but greeting failed.\n"));
}

#[test]
fn a_server_that_insists_on_tls_that_does_not_work_is_no_reason_to_bounce() {
    let envelope = envelope(ONE);
    let terms = Terms { security: Security::Never, ..terms(&envelope) };
    let offer = "250-hi\n250 STARTTLS";
    for text in ["530 5.7.0 Must issue a STARTTLS command first", "550 tls first", "530 later"] {
        let (_, ending) = enact(&terms, records(), &["220 hi", offer, text]);
        assert!(matches!(ending, Ending::TryNext(_)), "{text}: {ending:?}");
        let (_, ending) = enact(&terms, records(), &["220 hi", offer, "250 ok", text]);
        assert!(text_of(&ending).starts_with('s'), "{text}");
        // Without an offer it means something else.
        let (_, ending) = enact(&terms, records(), &["220 hi", "250 hi", text]);
        assert!(text_of(&ending).starts_with('D'), "{text}");
    }
    let (_, ending) = enact(&terms, records(), &["220 hi", offer, "550 no such sender"]);
    assert!(text_of(&ending).starts_with('D'));
}

#[test]
fn credentials_are_said_inside_tls_or_not_at_all() {
    let (envelope, credentials) = (envelope(ONE), Credentials::new(b"u", b"p"));
    let terms = Terms { credentials: Some(&credentials), ..terms(&envelope) };
    let auth = "250-mx\n250 AUTH PLAIN";
    let (said, ending) = enact(&terms, records(), &["220 x", auth]);
    assert_eq!(said, ["EHLO here.example"]);
    assert!(text_of(&ending).contains("no TLS to authenticate in"));
    let (_, ending) = enact(&terms, records(), &["220 x", STARTTLS, "220 x", "!"]);
    assert!(matches!(ending, Ending::TryNext(_)));
    let inside = ["220 x", STARTTLS, "220 x", "TLS"];
    let (said, _) = enact(&terms, records(), &[&inside[..], &[auth, "334 ", "235 x"]].concat());
    assert_eq!(said.last().unwrap(), "MAIL FROM:<s@here.example> AUTH=u");
    let (_, ending) = enact(&terms, records(), &[&inside[..], &[auth, "535 no"]].concat());
    let text = "ZConnected to 192.0.2.1 but authentication was rejected (AUTH PLAIN).\n\
                Remote host said: 535 no\n|";
    assert_eq!((text_of(&ending).as_str(), matches!(ending, Ending::Final(_))), (text, true));
    let (_, ending) = enact(&terms, records(), &[&inside[..], &["250 x"]].concat());
    assert_eq!(text_of(&ending), "Zno supported AUTH method found (#4.7.0)\n|");
    let clear = Terms { clear_credentials: true, ..terms };
    let (said, _) = enact(&clear, records(), &["220 x", auth, "334 ", "235 x"]);
    assert_eq!(said.last().unwrap(), "MAIL FROM:<s@here.example> AUTH=u");
}

#[test]
fn reports_begin_as_the_style_says() {
    use crate::report::Style;
    let envelope = envelope(ONE);
    let end =
        |style, replies: &[&str]| text_of(&enact(&terms(&envelope), styled(style), replies).1);
    let whole = ["220 x", "250 x", "250 x", "250 x", "354 x", "250 x"];
    let text = end(Style::Addresses, &whole);
    assert!(text.starts_with("r<From:s@here.example To:r@there.example> |K192.0.2.1 "), "{text}");
    let text = end(Style::Full, &whole);
    let beginning = "<From:s@here.example To:r@there.example Host:mx IP:192.0.2.1 TLS:none> ";
    assert!(text.starts_with(&format!("r{beginning}|K192.0.2.1 ")), "{text}");
    let text = end(Style::Full, &["421 x"]);
    assert!(text.starts_with(&format!("Z{beginning}Connected to ")), "{text}");
    let secure = ["220 x", STARTTLS, "220 x", "TLS", "250 x", "250 x", "450 x"];
    assert!(end(Style::Full, &secure).contains(" TLS:TLSv1.3,TLS_AES_128_GCM_SHA256> "));
}
