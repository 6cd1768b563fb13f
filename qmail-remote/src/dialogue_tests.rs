//! Transcripts: replies in, commands and report out.

use super::*;

/// Plays a dialogue: a reply for each step. Returns what was said (`<message>` for the message)
/// and the report, with NUL shown as `|`.
fn play(recipients: &[&str], replies: &[&str]) -> (Vec<String>, String) {
    let recipients: Vec<Vec<u8>> = recipients.iter().map(|one| one.as_bytes().to_vec()).collect();
    let envelope = Envelope::new(b"s@here.example", &recipients).unwrap();
    let mut dialogue = Dialogue::new(b"here.example", &envelope, "192.0.2.1".parse().unwrap());
    let mut said = Vec::new();
    for text in replies {
        match dialogue.handle(&reply(text)) {
            Step::Say(next, command) => {
                said.push(String::from_utf8(command).unwrap().trim_end().to_owned());
                dialogue = next;
            }
            Step::SendMessage(next) => {
                said.push("<message>".into());
                dialogue = next.ending();
            }
            Step::Over(report) => return (said, text_of(&report)),
        }
    }
    (said, text_of(&dialogue.lost()))
}

fn reply(text: &str) -> Reply {
    let line = format!("{text}\r\n");
    qmail_wire::smtp_client::ReplyParser::new().feed(&mut line.as_bytes()).unwrap().unwrap()
}

fn text_of(report: &Report) -> String {
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
        "HELO here.example",
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
    let dialogue = Dialogue::new(b"h", &envelope, "192.0.2.1".parse().unwrap());
    let Step::Say(dialogue, _) = dialogue.handle(&reply("220 hi")) else { panic!("no HELO") };
    let Step::Say(_, command) = dialogue.handle(&reply("250 hi")) else { panic!("no MAIL") };
    assert_eq!(command, b"MAIL FROM:<>\r\n");
}

#[test]
fn until_the_sender_every_refusal_is_later() {
    for (replies, what) in [
        (&["421 busy"][..], "greeting failed.\nRemote host said: 421 busy"),
        (&["554 no"], "greeting failed.\nRemote host said: 554 no"),
        (&["250 odd"], "greeting failed.\nRemote host said: 250 odd"),
        (&["220 hi", "550 who"], "my name was rejected.\nRemote host said: 550 who"),
        (&["220 hi", "220 hi"], "my name was rejected.\nRemote host said: 220 hi"),
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
