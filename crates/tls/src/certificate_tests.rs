//! Certificates as openssl(1) makes them, and as nobody should.

use super::*;
use crate::tests::file;

fn names(name: &str) -> Names {
    Names::of(&crate::certificates(&file(name)).unwrap()[0])
}

#[test]
fn names_are_found_where_certificates_have_them() {
    let relay = names("relay.pem");
    assert_eq!(relay.hosts, [b"relay.example"]);
    assert_eq!(relay.mailboxes, [b"a@relay.example"]);
    assert_eq!(relay.common.unwrap(), b"ignored.example");
    let common = names("common.pem");
    assert!(common.hosts.is_empty());
    assert_eq!(common.mailboxes, [b"b@relay.example"]);
    assert_eq!(common.common.unwrap(), b"relay.example");
}

#[test]
fn a_certificate_counts_for_a_time() {
    let january = 1_577_836_800;
    let expired = names("expired.pem");
    assert!(!expired.are_valid_at(january - 1));
    assert!(expired.are_valid_at(january));
    assert!(expired.are_valid_at(january + 366 * 86400));
    assert!(!expired.are_valid_at(january + 366 * 86400 + 1));
    assert!(!Names::default().are_valid_at(january));
}

#[test]
fn times_are_counted_as_the_calendar_has_them() {
    let time = |tag, text: &str| seconds(&Element { tag, contents: text.as_bytes() });
    assert_eq!(time(0x17, "700101000000Z"), Some(0));
    assert_eq!(time(0x17, "491231235959Z"), Some(2_524_607_999));
    assert_eq!(time(0x17, "500101000000Z"), Some(-631_152_000));
    assert_eq!(time(0x18, "20000229120000Z"), Some(951_825_600));
    assert_eq!(time(0x18, "21000301000000Z"), Some(4_107_542_400));
    for text in ["", "Z", "20000229120000", "2000022912Z", "+0000229120000Z", "20é00229120000Z"] {
        assert_eq!(time(0x18, text), None, "{text}");
    }
    assert_eq!(time(2, "20000229120000Z"), None);
}

#[test]
fn a_star_stands_for_the_first_label_and_nothing_else() {
    let fits = |name: &str, host: &str| matches(name.as_bytes(), host.as_bytes());
    assert!(fits("Mx.Example", "mx.eXample"));
    assert!(fits("*.example", "mx.EXAMPLE"));
    for (name, host) in [
        ("*.example", "a.mx.example"),
        ("*.example", "example"),
        ("*", "example"),
        ("*", "mx.example"),
        ("m*.example", "mx.example"),
        ("mx.example", "mx.example.org"),
        ("", "mx.example"),
    ] {
        assert!(!fits(name, host), "{name} {host}");
    }
}

/// Whatever is cut off or changed in a certificate, reading it ends, and finds no more than was
/// there.
#[test]
fn a_damaged_certificate_is_read_as_far_as_it_goes() {
    let whole = crate::certificates(&file("relay.pem")).unwrap().remove(0).to_vec();
    for length in 0..whole.len() {
        let found = Names::of(&whole[..length]);
        assert!(found.hosts.is_empty() && found.common.is_none(), "{length}");
    }
    for place in 0..whole.len() {
        for byte in [0, 0x7f, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[place] = byte;
            assert!(Names::of(&damaged).hosts.len() <= 1);
        }
    }
}
