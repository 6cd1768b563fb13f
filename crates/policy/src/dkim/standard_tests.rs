//! What the standard says of canonical forms, written out once more and compared with what is signed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, UnparsedPublicKey};

use super::*;
use crate::Domain;
use crate::dkim::Key;

const PRIVATE: &str = include_str!("../../samples/keys/ed25519.pem");
const PUBLIC: &str = include_str!("../../samples/keys/ed25519.txt");

fn keys(domain: &str, selector: &str) -> Keys {
    let parse = |name: &str| Domain::parse(name.as_bytes()).unwrap();
    let key = Key::parse(parse(selector), PRIVATE.as_bytes()).unwrap();
    Keys { domain: parse(domain), keys: vec![key] }
}

/// The signature of a message whose body comes in blocks of this size.
fn signature(keys: &Keys, header: &[u8], body: &[u8], size: usize) -> String {
    let signer = Signer::new(keys, header).unwrap();
    let mut signing = signer.start(header);
    body.chunks(size).for_each(|block| signing.body(block));
    String::from_utf8(signing.finish().unwrap()).unwrap()
}

/// The value of a tag, without its blanks.
fn tag(field: &str, name: &str) -> String {
    let value = field.split_once(':').unwrap().1;
    let tag = value.split(';').find_map(|tag| tag.trim().strip_prefix(name)?.strip_prefix('='));
    tag.unwrap().split_ascii_whitespace().collect()
}

/// One blank for several, and none at the end of the line.
fn reduced(line: &[u8]) -> Vec<u8> {
    let words = line.split(|byte| matches!(byte, b' ' | b'\t'));
    let mut words: Vec<&[u8]> = words.collect();
    while words.last().is_some_and(|last| last.is_empty()) {
        words.pop();
    }
    let mut first = true;
    words.retain(|word| std::mem::take(&mut first) || !word.is_empty());
    words.join(&b' ')
}

/// RFC 6376 §3.4.4.
fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = body.split(|byte| *byte == b'\n').map(reduced).collect();
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    lines.into_iter().flat_map(|line| [line, b"\r\n".to_vec()].concat()).collect()
}

/// RFC 6376 §3.4.2, without the line's end.
fn relaxed_field(field: &str) -> String {
    let (name, value) = field.split_once(':').unwrap();
    let value = value.replace('\n', "").replace('\t', " ");
    let words: Vec<&str> = value.split(' ').filter(|word| !word.is_empty()).collect();
    format!("{}:{}", name.trim_end().to_ascii_lowercase(), words.join(" "))
}

/// RFC 6376 §3.7: whether the signature is one of this header.
fn is_of_header(field: &str, header: &str) -> bool {
    let mut fields: Vec<&str> =
        fields(header.as_bytes()).map(|field| std::str::from_utf8(field).unwrap()).collect();
    let mut signed = String::new();
    for name in tag(field, "h").split(':') {
        let found = fields.iter().rposition(|field| is_named(field.as_bytes(), name));
        if let Some(at) = found {
            signed.push_str(&relaxed_field(fields.remove(at)));
            signed.push_str("\r\n");
        }
    }
    let (before, after) = field.split_once("; b=").unwrap();
    let (_, rest) = after.split_once(';').unwrap();
    signed.push_str(&relaxed_field(&format!("{before}; b=;{rest}")));
    let hash = digest(&SHA256, signed.as_bytes());
    let public = UnparsedPublicKey::new(&ED25519, STANDARD.decode(PUBLIC.trim()).unwrap());
    public.verify(hash.as_ref(), &STANDARD.decode(tag(field, "b")).unwrap()).is_ok()
}

fn hash(body: &[u8]) -> String {
    STANDARD.encode(digest(&SHA256, body))
}

#[test]
fn the_hash_of_a_body_is_that_of_the_standard() {
    let keys = keys("a.example", "s");
    let alphabet = b" \t\nx";
    for length in 0..=5 {
        for number in 0..alphabet.len().pow(length) {
            let mut body: Vec<u8> =
                (0..length).map(|digit| alphabet[number >> (2 * digit) & 3]).collect();
            body.push(b'\n');
            let expected = hash(&relaxed_body(&body));
            for size in [1, 2, 100] {
                let field = signature(&keys, b"From: a@a.example\n\n", &body, size);
                assert_eq!(tag(&field, "bh"), expected, "{:?}", String::from_utf8_lossy(&body));
            }
        }
    }
}

/// A number below `limit`, the next of a row that is always the same.
fn next(seed: &mut u64, limit: u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % limit
}

fn header(seed: &mut u64) -> String {
    let names =
        ["Subject", "to", "CC", "Received", "List-Id", "References", "subject", "X", "Date"];
    let pieces =
        ["x", "yz", " ", "\t", "\n ", "\n\t", "=", ";", ":", "\u{e4}", "b=1", "a@b.example"];
    let mut header = String::from("From: a@a.example\n");
    for _ in 0..next(seed, 8) {
        header.push_str(names[usize::try_from(next(seed, 9)).unwrap()]);
        header.push(':');
        for _ in 0..next(seed, 30) {
            header.push_str(pieces[usize::try_from(next(seed, 12)).unwrap()]);
        }
        header.push('\n');
    }
    header + "\n"
}

#[test]
fn the_signature_is_of_the_header_in_its_standard_form() {
    let mut seed = 1;
    for number in 0..500 {
        let header = header(&mut seed);
        let (domain, selector) = ("d".repeat(number % 60 + 1), "s".repeat(number / 7 % 60 + 1));
        let keys = keys(&format!("{domain}.example"), &selector);
        let field = signature(&keys, header.as_bytes(), b"x\n", 100);
        assert!(is_of_header(&field, &header), "{header:?} {field:?}");
        let other = header.replacen("a@a", "b@a", 1);
        assert!(!is_of_header(&field, &other), "{other:?} {field:?}");
    }
}
