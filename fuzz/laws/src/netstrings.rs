//! Netstrings, of which QMTP and QMQP are made, and the reports of qmail-tlsrelay.

use qmail_wire::netstring::{Netstrings, encode};
use qmail_wire::tlsrelay::{Handshake, Preparation};

const LIMIT: u64 = 64;

/// What is written is read; what is read is no longer than it may be, and cannot leave the netstring
/// that it is part of.
pub(crate) fn netstring(bytes: &[u8]) {
    let mut strings = Netstrings::new(bytes);
    let mut total = 0;
    while let Ok(string) = strings.read(LIMIT) {
        total += string.map_or(0, |string| {
            assert!(string.len() < 64);
            string.len()
        });
    }
    assert!(total <= bytes.len());

    let half = bytes.len() / 2;
    let (first, second) = bytes.split_at(half);
    let nested = encode(&[encode(first), encode(second)].concat());
    let mut strings = Netstrings::new(&nested[..]);
    strings.open().unwrap();
    assert_eq!(strings.read(u64::MAX).unwrap(), Some(first.to_vec()));
    assert_eq!(strings.read(u64::MAX).unwrap(), Some(second.to_vec()));
    assert!(strings.read(u64::MAX).is_err(), "beyond its end");
    assert!(!strings.has_more());

    // Whatever is inside a netstring, its parts end inside it.
    let outer = [encode(bytes), b"1:x,".to_vec()].concat();
    let mut strings = Netstrings::new(&outer[..]);
    strings.open().unwrap();
    let mut inside = 0;
    while strings.has_more() {
        let Ok(Some(string)) = strings.read(u64::MAX) else { return };
        // A length without digits is 0.
        inside += string.len() + 2;
    }
    assert!(inside <= bytes.len());
    strings.close().unwrap();
    assert_eq!(strings.read(LIMIT).unwrap(), Some(b"x".to_vec()));
}

/// There is one way only to write a report, nothing behind it is read, and no text breaks a line.
pub(crate) fn tls_report(bytes: &[u8]) {
    tls_report_itself(bytes);
    tls_report_itself(&encode(bytes));
}

fn tls_report_itself(bytes: &[u8]) {
    let mut rest = bytes;
    if let Ok(report) = Preparation::read(&mut rest) {
        assert_eq!(report.encode(), bytes[..bytes.len() - rest.len()]);
        assert!(
            !report
                .notes
                .iter()
                .chain(report.outcome.as_ref().err())
                .any(|text| text.contains(char::is_control))
        );
    }
    let mut rest = bytes;
    if let Ok(report) = Handshake::read(&mut rest) {
        assert_eq!(report.encode(), bytes[..bytes.len() - rest.len()]);
        assert!(!report.notes.iter().any(|text| text.contains(char::is_control)));
        let name = report.outcome.ok().and_then(|secured| secured.server_name);
        assert!(name.is_none_or(|name| !name.is_empty() && !name.contains(['/', ' ', '\n'])));
    }
}
