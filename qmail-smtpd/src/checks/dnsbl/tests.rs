use super::*;
use crate::checks::testing::{FixedDns, visit, visit_with};

fn lists(lines: &[&str], dns: FixedDns) -> BlockLists {
    BlockLists {
        entries: lines.iter().filter_map(|line| Entry::parse(line.as_bytes())).collect(),
        dns: Box::new(dns),
        fails_closed: false,
        decided: None,
        verdict: None,
    }
}

fn outcome(lines: &[&str], dns: FixedDns) -> Outcome {
    lists(lines, dns).decide(&mut visit())
}

fn dns() -> FixedDns {
    FixedDns::new()
        .txt("1.2.0.192.txt.example", "listed, see\nhttp://x")
        .a("1.2.0.192.a.example", [127, 0, 0, 2])
        .a("1.2.0.192.parked.example", [203, 0, 113, 1])
        .a("1.2.0.192.refused.example", [127, 255, 255, 254])
        .unknown("1.2.0.192.broken.example")
}

#[test]
fn the_first_list_that_knows_the_client_decides() {
    let said = b"listed, see\nhttp://x".to_vec();
    assert_eq!(
        outcome(&["none.example", "txt.example # why"], dns()),
        Outcome::Delay(said.clone())
    );
    assert_eq!(outcome(&["-txt.example"], dns()), Outcome::Reject(said));
    assert_eq!(outcome(&["+a.example", "-txt.example"], dns()), Outcome::Accept);
    assert_eq!(outcome(&["=a.example:x", "none.example"], dns()), Outcome::Pass);
    let own = Outcome::Reject(b"not 192.0.2.1!".to_vec());
    assert_eq!(outcome(&["a.example:-not %IP%!"], dns()), own);
    assert_eq!(outcome(&[], dns()), Outcome::Pass);
}

#[test]
fn other_addresses_are_no_listing_and_a_refusal_is_a_failure() {
    assert_eq!(outcome(&["-parked.example:x"], dns()), Outcome::Pass);
    assert_eq!(outcome(&["-refused.example:x"], dns()), Outcome::Pass);
    let mut closed = lists(&["-refused.example:x"], dns());
    closed.fails_closed = true;
    let later = Outcome::Delay(b"temporary RBL lookup error".to_vec());
    assert_eq!(closed.decide(&mut visit()), later);
}

#[test]
fn after_a_failure_nothing_is_for_good() {
    let outcome = outcome(&["broken.example", "-a.example:no"], dns());
    assert_eq!(outcome, Outcome::Delay(b"no".to_vec()));
}

#[test]
fn what_was_decided_elsewhere_holds() {
    let decide = |value: &str| {
        let mut lists = lists(&["-a.example:x"], dns());
        lists.decided = Some(value.as_bytes().to_vec());
        lists.decide(&mut visit())
    };
    assert_eq!(decide(""), Outcome::Accept);
    assert_eq!(decide("-bad"), Outcome::Reject(b"bad".to_vec()));
    assert_eq!(decide("wait"), Outcome::Delay(b"wait".to_vec()));
}

#[test]
fn the_text_is_one_short_line_and_the_result_a_variable() {
    let mut lists = lists(&["-txt.example"], dns());
    let mut visit = visit();
    let verdict = lists.recipient(&mut visit, &mut Recipient::new("a@b"));
    assert_eq!(verdict, Verdict::Refuse(Reply::new(553, "listed, see?http://x")));
    assert_eq!(visit.variables.value("RBLRESULT").unwrap(), b"reject");
    let mut notes = visit.take_notes();
    let line = notes.pop().unwrap();
    assert_eq!(line, b"qmail-smtpd: 553 badiprbl: ip 192.0.2.1 rbl: txt.example");
    let note = String::from_utf8(notes.remove(0)).unwrap();
    let expected = "]: rbl: ip=192.0.2.1 query=1.2.0.192.txt.example result=reject \
                    message='listed, see?http://x'";
    assert!(note.starts_with("qmail-smtpd[") && note.ends_with(expected), "{note}");
    lists.dns = Box::new(FixedDns::new());
    assert_eq!(lists.recipient(&mut visit, &mut Recipient::new("a@b")), verdict);
}

#[test]
fn relay_clients_are_not_looked_up() {
    let mut lists = lists(&["-a.example:x"], dns());
    let mut visit = visit_with(&[("RELAYCLIENT", "")]);
    assert_eq!(lists.recipient(&mut visit, &mut Recipient::new("a@b")), Verdict::Pass);
}
