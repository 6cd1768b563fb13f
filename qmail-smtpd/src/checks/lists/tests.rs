use super::*;
use crate::client::{Authentication, Client};
use crate::variables::Variables;
use std::fs::File;
use std::io::Write;

fn list(subject: Subject, language: Language, lines: &[&str]) -> DenyList {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("list");
    File::create(&path).unwrap().write_all(lines.join("\n").as_bytes()).unwrap();
    DenyList::new(subject, language, LongList::open(&path, Index::Ignored).unwrap().unwrap())
}

fn visit(host: &str, relay: bool) -> Visit {
    let mut client = Client::from_environment(&|_| None);
    client.peer.remote_host = host.as_bytes().to_vec();
    client.peer.remote_ip = b"192.0.2.1".to_vec();
    client.relay = relay.then(Vec::new);
    Visit::new(client, Variables::none())
}

fn hits_from(list: &mut DenyList, visit: &mut Visit, text: &str) -> bool {
    let mut transaction = Transaction::from("x@y");
    let mut recipient = Recipient::new("x@y");
    match list.subject {
        Subject::Helo => visit.client.helo = Some(text.as_bytes().to_vec()),
        Subject::Sender => transaction.sender = text.as_bytes().to_vec(),
        Subject::Recipient => recipient = Recipient::new(text),
    }
    assert_eq!(list.sender(visit, &mut transaction), Verdict::Pass);
    visit.transaction = Some(transaction);
    list.recipient(visit, &mut recipient) != Verdict::Pass
}

fn hits(list: &mut DenyList, text: &str) -> bool {
    hits_from(list, &mut visit("client.example", false), text)
}

#[test]
fn exact_lines_are_addresses_and_hosts_in_any_case() {
    let mut list = list(Subject::Sender, Language::Exact, &["Bad@one.example", "@bad.example"]);
    for sender in ["bad@ONE.example", "anybody@Bad.example", "x@y@bad.example"] {
        assert!(hits(&mut list, sender), "{sender}");
    }
    for sender in ["good@one.example", "x@sub.bad.example", "bad.example", ""] {
        assert!(!hits(&mut list, sender), "{sender}");
    }
}

#[test]
fn expressions_hit_anywhere_and_an_exclamation_mark_turns_them_around() {
    let mut helo = list(Subject::Helo, Language::Regex, &[r"!\.", "(", "dial-?up"]);
    assert!(hits(&mut helo, "localhost") && hits(&mut helo, "") && hits(&mut helo, "x.DialUp.net"));
    assert!(!hits(&mut helo, "mx.example"));
    let mut recipient =
        list(Subject::Recipient, Language::Regex, &["!@", "[!%#:*^(){}]", "@example.com"]);
    assert!(hits(&mut recipient, "joe") && hits(&mut recipient, "a!b@c"));
    assert!(hits(&mut recipient, "x@example.com.org") && !hits(&mut recipient, "joe@here"));
}

#[test]
fn a_line_that_is_no_expression_is_logged_once_and_the_others_count() {
    let mut list = list(Subject::Helo, Language::Regex, &["(", "bad"]);
    let mut visit = visit("c", false);
    assert!(hits_from(&mut list, &mut visit, "bad"));
    let complaint = b"bad: (: Unmatched ( or \\(".to_vec();
    assert_eq!(
        visit.take_notes(),
        [complaint, b"qmail-smtpd: badhelo: <bad> at 192.0.2.1".to_vec()]
    );
    list.shows_pattern = true;
    assert!(hits_from(&mut list, &mut visit, "bad\r\nx"));
    let note = b"qmail-smtpd: badhelo: <bad??x> at 192.0.2.1 matches pattern: bad".to_vec();
    assert_eq!(visit.take_notes(), [note]);
}

#[test]
fn more_expressions_than_are_kept_all_count() {
    let lines: Vec<String> = (0..200).map(|number| format!("^(user)?{number}$")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut list = list(Subject::Helo, Language::Regex, &lines);
    assert!(hits(&mut list, "user199") && hits(&mut list, "3") && !hits(&mut list, "200"));
}

#[test]
fn the_last_wildmat_pattern_decides() {
    let lines = ["*@bad.example", "!good*@bad.example", "goodbye@*"];
    let mut list = list(Subject::Recipient, Language::Wildmat, &lines);
    assert!(hits(&mut list, "joe@bad.example") && hits(&mut list, "goodbye@bad.example"));
    assert!(!hits(&mut list, "goodjoe@bad.example") && !hits(&mut list, "x@good.example"));
}

#[test]
fn what_was_said_to_a_stranger_does_not_hold_for_a_user() {
    let mut list = list(Subject::Sender, Language::Wildmat, &["@own.example+"]);
    let mut visit = visit("c.example", false);
    assert!(hits_from(&mut list, &mut visit, "joe@own.example"));
    visit.believe(Authentication { user: b"joe".to_vec(), method: "plain" });
    assert!(!hits_from(&mut list, &mut visit, "joe@own.example"));
}

#[test]
fn spamcontrol_looks_at_the_client_too() {
    let lines = [
        "@own.example+",
        "@known.example-",
        "@same.example=",
        "~dialup.example",
        "?ok@own.example",
    ];
    let mut list = list(Subject::Sender, Language::Wildmat, &lines);
    let mut from = |host: &str, relay: bool, sender: &str| {
        list.decided = None;
        hits_from(&mut list, &mut visit(host, relay), sender)
    };
    assert!(from("c.example", false, "x@own.example") && !from("c.example", true, "x@own.example"));
    assert!(!from("c.example", false, "ok@own.example"));
    // Nor is it a pattern for others.
    assert!(!from("c.example", true, "xok@own.example"));
    assert!(from("unknown", false, "x@known.example") && from("", false, "x@known.example"));
    assert!(!from("c.example", false, "x@known.example"));
    assert!(from("c.example", false, "x@same.example"));
    assert!(!from("mx.same.example", false, "x@same.example"));
    assert!(from("a.b.dialup.example", false, "x@y"));
    assert!(!from("mx.dialup.example", false, "x@dialup.example"));
}
