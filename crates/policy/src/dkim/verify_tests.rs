use super::*;
use crate::dkim::{Key, Keys, Signer};
use crate::text::wire;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use qmail_dns::{Cause, Failure};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write;
use std::time::Duration;

const RSA: &str = include_str!("../../samples/keys/rsa.pem");
const ED25519: &str = include_str!("../../samples/keys/ed25519.pem");
const RSA_RECORD: &str = concat!("v=DKIM1; k=rsa; p=", include_str!("../../samples/keys/rsa.txt"));
const SHORT_RECORD: &str =
    concat!("v=DKIM1; k=rsa; p=", include_str!("../../samples/keys/rsa-768.txt"));
const ED25519_RECORD: &str =
    concat!("v=DKIM1; k=ed25519; p=", include_str!("../../samples/keys/ed25519.txt"));

const HEADER: &str = "Received: from x\nFrom: Joe <joe@a.example>\nTo: jim@b.example\n\
                      Subject: two\n  lines\nList-Unsubscribe: <mailto:x@a.example>\n\n";
const BODY: &str = "Hello\n.\n  there \n \n\t\n\n";

/// Records by name, and what was asked for.
#[derive(Default)]
struct Zone {
    records: HashMap<String, Result<Vec<Vec<u8>>, Failure>>,
    asked: RefCell<Vec<String>>,
}

impl Zone {
    fn with(mut self, selector: &str, record: &str) -> Self {
        let name = format!("{selector}._domainkey.a.example.");
        self.records.insert(name, Ok(vec![record.as_bytes().to_vec()]));
        self
    }

    fn standard() -> Self {
        Self::default().with("r", RSA_RECORD).with("e", ED25519_RECORD)
    }
}

impl Records for Zone {
    fn texts(&self, name: &str) -> Result<Vec<Vec<u8>>, Failure> {
        self.asked.borrow_mut().push(name.to_owned());
        self.records.get(name).cloned().unwrap_or(Err(Failure::NoSuchName))
    }
}

fn domain(name: &str) -> Domain {
    Domain::parse(name.as_bytes()).unwrap()
}

fn keys() -> Keys {
    let key = |selector, pem: &str| Key::parse(domain(selector), pem.as_bytes()).unwrap();
    Keys { domain: domain("a.example"), keys: vec![key("e", ED25519), key("r", RSA)] }
}

/// The signatures of both keys.
fn signatures(header: &str, body: &str) -> String {
    let keys = keys();
    let signer = Signer::new(&keys, header.as_bytes()).unwrap();
    let mut signing = signer.start(header.as_bytes());
    signing.body(body.as_bytes());
    String::from_utf8(signing.finish().unwrap()).unwrap()
}

fn outcomes(zone: &Zone, header: &str, body: &str) -> Vec<Outcome> {
    let header = wire(header.as_bytes());
    let mut verifier = Verifier::new(&header, Limits::default());
    for block in body.as_bytes().chunks(3) {
        verifier.body(block);
    }
    verifier.finish(zone, Limits::default())
}

fn verdicts(zone: &Zone, header: &str, body: &str) -> Vec<Verdict> {
    outcomes(zone, header, body).iter().map(|outcome| outcome.verdict).collect()
}

/// The verdicts on a message that was signed and then changed.
fn changed(zone: &Zone, change: impl Fn(&str) -> String) -> Vec<Verdict> {
    verdicts(zone, &change(&format!("{}{HEADER}", signatures(HEADER, BODY))), BODY)
}

const BOTH_PASS: [Verdict; 2] = [Verdict::Pass; 2];

#[test]
fn what_we_sign_we_verify() {
    let header = format!("{}{HEADER}", signatures(HEADER, BODY));
    let outcomes = outcomes(&Zone::standard(), &header, BODY);
    assert!(outcomes.iter().all(Outcome::is_pass), "{outcomes:?}");
    let properties = outcomes[1].method().properties;
    assert_eq!(properties[0], ("header.d", "a.example".to_owned()));
    assert_eq!(properties[1], ("header.s", "r".to_owned()));
    assert_eq!(properties[2], ("header.a", "rsa-sha256".to_owned()));
    assert!(outcomes[0].vouches_for(&domain("a.example")));
}

#[test]
fn the_message_in_rfc_8463_is_verified() {
    let mut zone = Zone::default();
    for line in include_str!("../../samples/rfc8463.records").lines() {
        let (name, text) = line.split_once(' ').unwrap();
        zone.records.insert(format!("{name}."), Ok(vec![text.as_bytes().to_vec()]));
    }
    let message = include_str!("../../samples/rfc8463.message");
    let (header, body) = message.split_at(message.find("\n\n").unwrap() + 2);
    assert_eq!(verdicts(&zone, header, body), BOTH_PASS);
    assert_eq!(verdicts(&zone, header, &body.replace('H', "h")), [Verdict::BodyChanged; 2]);
}

#[test]
fn a_changed_byte_is_caught_wherever_it_matters() {
    let zone = Zone::standard();
    let header = format!("{}{HEADER}", signatures(HEADER, BODY));
    for at in 0..BODY.trim_end().len() {
        let mut body = BODY.as_bytes().to_vec();
        body[at] = if body[at] == b'#' { b'*' } else { b'#' };
        let body = String::from_utf8(body).unwrap();
        assert_eq!(verdicts(&zone, &header, &body), [Verdict::BodyChanged; 2], "{at}");
    }
    for (from, to) in [("joe@", "jim@"), ("two", "three"), ("mailto:x", "mailto:y"), ("jim@b", "b")]
    {
        assert_eq!(changed(&zone, |h| h.replace(from, to)), [Verdict::WrongSignature; 2], "{from}");
    }
}

#[test]
fn an_added_field_is_caught_if_it_could_deceive() {
    let zone = Zone::standard();
    let added = |field: &str| changed(&zone, |header| format!("{field}\n{header}"));
    for field in ["Subject: x", "To: x@x.example", "Reply-To: x@x", "Content-Type: text/html"] {
        assert_eq!(added(field), [Verdict::WrongSignature; 2], "{field}");
    }
    assert_eq!(added("From: evil@x.example"), [Verdict::WrongSignature; 2]);
    assert_eq!(added("Received: by x"), BOTH_PASS);
    assert_eq!(added("List-Post: <mailto:x>"), BOTH_PASS);
}

#[test]
fn another_line_folding_and_other_blanks_do_no_harm() {
    let zone = Zone::standard();
    assert_eq!(changed(&zone, |header| header.replace("two\n  lines", "two lines")), BOTH_PASS);
    let header = format!("{}{HEADER}", signatures(HEADER, BODY));
    assert_eq!(verdicts(&zone, &header, "Hello  \n.\n there\n"), BOTH_PASS);
    let crlf = BODY.replace('\n', "\r\n");
    assert_eq!(verdicts(&zone, &header, &crlf), BOTH_PASS);
}

#[test]
fn a_message_without_body_or_empty_line_is_signed_too() {
    let zone = Zone::standard();
    for (header, body) in [(HEADER, ""), (HEADER, "\n\n"), (HEADER.trim_end_matches('\n'), "")] {
        let header = format!("{}\n", header.trim_end_matches('\n'));
        let signed = format!("{}{header}", signatures(&header, body));
        assert_eq!(verdicts(&zone, &signed, body), BOTH_PASS, "{header:?} {body:?}");
    }
}

#[test]
fn without_signature_the_outcome_says_so() {
    assert_eq!(verdicts(&Zone::standard(), HEADER, BODY), [Verdict::NotSigned]);
}

/// An RSA key of 9,216 bits, as PKCS#1 has it.
fn giant_record() -> String {
    let modulus = [&[2, 0x82, 4, 0x80][..], &[0xff; 1152]].concat();
    let key = [&[0x30, 0x82, 4, 0x89][..], &modulus, &[2, 3, 1, 0, 1]].concat();
    format!("v=DKIM1; p={}", STANDARD.encode(key))
}

#[test]
fn the_verdict_names_what_is_wrong_with_a_key() {
    let failing = |failure| {
        let mut zone = Zone::standard();
        zone.records.insert("r._domainkey.a.example.".into(), Err(failure));
        zone
    };
    let record = |text: &str| Zone::standard().with("r", text);
    let p = RSA_RECORD.split_once("p=").unwrap().1;
    let cases = [
        (failing(Failure::NoSuchName), Verdict::NoKey),
        (failing(Failure::NoSuchRecord), Verdict::NoKey),
        (failing(Failure::Temporary(Cause::TimedOut)), Verdict::NoAnswer),
        (record("v=DKIM1; p="), Verdict::Revoked),
        (record("v=DKIM1; k=dsa; p=AAAA"), Verdict::OtherAlgorithm),
        (record("v=DKIM1; p=AAAA"), Verdict::UnusableKey),
        (record("v=spf1 -all"), Verdict::UnusableKey),
        (record(&giant_record()), Verdict::UnusableKey),
        (record(SHORT_RECORD), Verdict::ShortKey),
        (record(ED25519_RECORD), Verdict::OtherAlgorithm),
        (record(&format!("h=sha1; p={p}")), Verdict::OtherAlgorithm),
        (record(&format!("s=tlsrpt; p={p}")), Verdict::OtherAlgorithm),
        (record(&format!("h=sha1:sha256; s=email; p={p}")), Verdict::Pass),
        (record(&format!("p={p}")), Verdict::Pass),
    ];
    for (zone, expected) in cases {
        assert_eq!(changed(&zone, str::to_owned), [Verdict::Pass, expected]);
    }
}

#[test]
fn a_domain_that_is_testing_is_named_as_such() {
    let zone = Zone::standard().with("r", &format!("t=y; {RSA_RECORD}"));
    let verdicts = changed(&zone, |header| header.replace("two", "three"));
    assert_eq!(verdicts, [Verdict::WrongSignature, Verdict::WrongButTesting]);
}

#[test]
fn a_record_of_something_else_may_stand_beside_a_key() {
    let mut zone = Zone::standard();
    let records = vec![b"v=spf1 -all".to_vec(), RSA_RECORD.as_bytes().to_vec()];
    zone.records.insert("r._domainkey.a.example.".into(), Ok(records));
    assert_eq!(changed(&zone, str::to_owned), BOTH_PASS);
}

/// The verdict on a signature with these tags besides those that it must have.
fn verdict_on(tags: &str) -> Verdict {
    let field = format!("DKIM-Signature: {tags}; b=AAAA; bh=AAAA\n{HEADER}");
    verdicts(&Zone::standard(), &field, BODY)[0]
}

#[test]
fn signatures_that_prove_nothing_are_not_looked_up() {
    let valid = "v=1; a=rsa-sha256; d=a.example; s=r";
    for (tags, expected) in [
        (format!("{valid}; h=To:Subject"), Verdict::UnsignedAuthor),
        (format!("{valid}; h=From; l=5"), Verdict::PartialBody),
        (format!("{valid}; h=From; l=0"), Verdict::BodyChanged),
        (format!("{valid}; h=From; d=a.example"), Verdict::Unreadable),
        (format!("{valid}; h=From; q=http"), Verdict::Unreadable),
        (format!("{valid}; h=From; q=dns/other"), Verdict::Unreadable),
        (format!("{valid}; h=From; q=http : dns/txt"), Verdict::BodyChanged),
        (format!("{valid}; h={}", ["From"; 300].join(":")), Verdict::Unreadable),
        (valid.replace("sha256", "sha1") + "; h=From", Verdict::WeakHash),
        (valid.replace("rsa-sha256", "x") + "; h=From", Verdict::Unreadable),
        (valid.replace("v=1", "v=2") + "; h=From", Verdict::WrongVersion),
        (valid.replace("v=1; ", "") + "; h=From", Verdict::WrongVersion),
        (valid.replace("d=a", "d=a b/..") + "; h=From", Verdict::ImpossibleName),
        (valid.replace("s=r", "s=r..r") + "; h=From", Verdict::ImpossibleName),
        (valid.replace("d=a.example", "") + "; h=From", Verdict::Unreadable),
        ("nonsense".to_owned(), Verdict::Unreadable),
    ] {
        assert_eq!(verdict_on(&tags), expected, "{tags}");
    }
}

#[test]
fn a_second_author_has_to_be_signed() {
    let header = format!("From: other@x.example\n{HEADER}");
    let field = "DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=r; h=From; bh=AAAA; b=AAAA\n";
    let verdicts = verdicts(&Zone::standard(), &format!("{field}{header}"), BODY);
    assert_eq!(verdicts, [Verdict::UnsignedAuthor]);
}

#[test]
fn expired_signatures_count_nothing() {
    let expired = |header: &str| header.replace("v=1; a=", "v=1; x=3; a=");
    assert_eq!(changed(&Zone::standard(), expired)[0], Verdict::Expired);
}

#[test]
fn each_key_is_asked_for_once_and_the_library_never_asks_anybody() {
    let zone = Zone::standard();
    let twice = signatures(HEADER, BODY).repeat(2);
    // r=y asks for reports, whose address would be a further record.
    let header = format!("{twice}{HEADER}").replace("v=1;", "v=1; r=y; atps=x.example;");
    let verdicts = verdicts(&zone, &header, BODY);
    assert_eq!(verdicts, [Verdict::WrongSignature; 4]);
    let asked = zone.asked.borrow();
    assert_eq!(*asked, ["e._domainkey.a.example.", "r._domainkey.a.example."]);
}

#[test]
fn a_signature_counts_beside_another_of_the_same_key_whose_body_was_changed() {
    let zone = Zone::standard();
    let (old, new) = (signatures(HEADER, "Something else\n"), signatures(HEADER, BODY));
    let changed = [Verdict::BodyChanged; 2];
    let verdicts = |signatures: String| verdicts(&zone, &format!("{signatures}{HEADER}"), BODY);
    assert_eq!(verdicts(format!("{old}{new}")), [changed, BOTH_PASS].concat());
    assert_eq!(verdicts(format!("{new}{old}")), [BOTH_PASS, changed].concat());
    assert_eq!(zone.asked.borrow().len(), 4);
}

#[test]
fn a_thousand_signatures_are_ten_questions() {
    let zone = Zone::standard();
    let one = signatures(HEADER, BODY);
    let mut header = String::new();
    for number in 0..500 {
        header.push_str(&one.replace("s=r", &format!("s=r{number}")));
    }
    let outcomes = outcomes(&zone, &format!("{header}{HEADER}"), BODY);
    assert_eq!(outcomes.len(), 11);
    assert_eq!(outcomes[10].verdict, Verdict::TooMany);
    assert!(zone.asked.borrow().len() <= 10);
}

#[test]
fn time_runs_out_as_temporary() {
    let header = format!("{}{HEADER}", signatures(HEADER, BODY));
    let header = wire(header.as_bytes());
    let mut verifier = Verifier::new(&header, Limits::default());
    verifier.body(BODY.as_bytes());
    let zone = Zone::standard();
    let limits = Limits { time: Duration::ZERO, ..Limits::default() };
    let outcomes = verifier.finish(&zone, limits);
    assert!(outcomes.iter().all(|outcome| outcome.verdict == Verdict::NoAnswer));
    assert!(zone.asked.borrow().is_empty());
}

#[test]
fn giant_headers_are_given_up() {
    let zone = Zone::standard();
    let long = format!("X: {}\n{HEADER}", "x".repeat(HEADER_LIMIT));
    assert_eq!(verdicts(&zone, &long, BODY), [Verdict::TooLarge]);
    let mut many = String::new();
    for number in 0..3_000 {
        writeln!(many, "X: {number}").unwrap();
    }
    assert_eq!(verdicts(&zone, &format!("{many}{HEADER}"), BODY), [Verdict::TooLarge]);
}

#[test]
fn hostile_fields_do_no_harm() {
    let zone = Zone::standard();
    let pieces =
        ["DKIM-Signature", ":", "v=1;", "b=", "h=From:", ";", "=", "\n", " ", "\u{e4}", "bh=AA;"];
    let mut state = 1_u64;
    for _ in 0..2_000 {
        let mut header = String::new();
        for _ in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            header.push_str(pieces[usize::try_from(state >> 33).unwrap() % pieces.len()]);
        }
        assert!(!verdicts(&zone, &format!("{header}\n{HEADER}"), BODY).is_empty());
    }
}
