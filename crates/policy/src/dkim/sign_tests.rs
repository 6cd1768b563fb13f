use super::*;
use crate::Domain;
use crate::dkim::Key;

const ED25519: &str = include_str!("../../samples/keys/ed25519.pem");

fn domain(name: &str) -> Domain {
    Domain::parse(name.as_bytes()).unwrap()
}

fn signed(header: &str, body: &[&str]) -> Option<String> {
    let key = Key::parse(domain("s1"), ED25519.as_bytes()).unwrap();
    let keys = Keys { domain: domain("a.example"), keys: vec![key] };
    let signer = Signer::new(&keys, header.as_bytes())?;
    let mut signing = signer.start(header.as_bytes());
    body.iter().for_each(|block| signing.body(block.as_bytes()));
    Some(String::from_utf8(signing.finish().unwrap()).unwrap())
}

/// The names that are signed, from the field itself.
fn names_in(field: &str) -> String {
    let field: String = field.chars().filter(|c| !c.is_whitespace()).collect();
    let names = field.split(';').find_map(|tag| tag.strip_prefix("h="));
    names.unwrap().to_ascii_lowercase()
}

#[test]
fn a_signature_is_one_field_with_lf() {
    let field = signed("From: a@a.example\n\n", &["x\n"]).unwrap();
    assert!(
        field.starts_with("DKIM-Signature: v=1; a=ed25519-sha256; s=s1; d=a.example;"),
        "{field}"
    );
    assert!(field.ends_with(";\n") && !field.contains('\r'));
    assert!(field.lines().skip(1).all(|line| line.starts_with('\t') && line.len() < 80), "{field}");
}

#[test]
fn fields_that_are_there_are_sealed_against_another_one() {
    let names = names_in(&signed("From: a@a.example\nCc: b\nCC: c\n\n", &[]).unwrap());
    let count = |name: &str| names.split(':').filter(|found| *found == name).count();
    assert_eq!(
        (count("from"), count("cc"), count("to"), count("subject")),
        (2, 3, 1, 1),
        "{names}"
    );
    assert_eq!((count("list-unsubscribe"), count("received")), (0, 0), "{names}");
}

#[test]
fn fields_of_lists_are_signed_where_they_are() {
    let header = "List-Unsubscribe: <https://a.example/x>\n\
                  List-Unsubscribe-Post: List-Unsubscribe=One-Click\nFrom: a@a.example\n\n";
    let names = names_in(&signed(header, &[]).unwrap());
    assert!(
        names.contains(":list-unsubscribe-post:") || names.contains(":list-unsubscribe:"),
        "{names}"
    );
    assert_eq!(
        names.split(':').filter(|name| name.starts_with("list-unsub")).count(),
        2,
        "{names}"
    );
}

#[test]
fn without_an_author_there_is_no_signature() {
    assert_eq!(signed("To: a@a.example\n\nFrom: x\n", &[]), None);
    assert_eq!(signed("\n", &["From: x\n"]), None);
    assert_eq!(signed("", &[]), None);
}

#[test]
fn nothing_stands_between_a_signature_and_its_end() {
    for number in 0..100 {
        let header = format!("From: a@a.example\nSubject: {number}\n\n");
        let field = signed(&header, &["x".repeat(number).as_str()]).unwrap();
        let before = field.strip_suffix(";\n").unwrap();
        assert!(before.ends_with('='), "{field}");
    }
}
