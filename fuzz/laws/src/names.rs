//! DNS: names, and what a datagram means.

use hickory_proto::rr::{Name as WireName, RecordType};
use qmail_dns::Name;
use qmail_dns::question::{Extension, Question};
use qmail_dns::reading::{Data, Reading, read};

const KINDS: [RecordType; 5] =
    [RecordType::A, RecordType::AAAA, RecordType::MX, RecordType::TXT, RecordType::PTR];

/// An answer to another question is none, and what is settled has records of the kind asked for,
/// which came out of the datagram.
pub(crate) fn answer(bytes: &[u8]) {
    for kind in KINDS {
        let name = WireName::from_ascii("a.example.").unwrap();
        let question = Question { id: 7, name, kind, extension: Extension::Announced };
        let _ = judged(&question, bytes);
        // Behind a header and question that are ours, chance gets further.
        let mut ours = question.encode().unwrap();
        ours.truncate(ours.len() - 11);
        ours[2] = 0x81;
        ours[3] = 0x80;
        let counts = bytes.first_chunk::<6>().copied().unwrap_or_default();
        ours[6..12].copy_from_slice(&counts.map(|count| count & 3));
        for place in [6, 8, 10] {
            ours[place] = 0;
        }
        ours.extend_from_slice(bytes.get(6..).unwrap_or_default());
        let reading = judged(&question, &ours);
        let other = Question { id: 8, ..question };
        assert_eq!(read(&other, &ours), Reading::NotOurs);
        assert_ne!(reading, Reading::NotOurs);
    }
}

fn judged(question: &Question, message: &[u8]) -> Reading {
    let reading = read(question, message);
    if let Reading::Settled(Ok(records)) = &reading {
        assert!(!records.is_empty());
        for record in records {
            let kind = match record {
                Data::Ipv4(_) => RecordType::A,
                Data::Ipv6(_) => RecordType::AAAA,
                Data::Exchanger(..) => RecordType::MX,
                Data::Name(_) => RecordType::PTR,
                Data::Text(text) => {
                    assert!(text.len() <= message.len());
                    RecordType::TXT
                }
            };
            assert_eq!(kind, question.kind);
        }
    }
    reading
}

/// A name is printed as one word on one line.
pub(crate) fn name(bytes: &[u8]) {
    let Some(name) = Name::parse(bytes) else { return };
    let printed = name.to_bytes();
    assert!(printed.iter().all(u8::is_ascii_graphic));
    if !printed.contains(&b'\\') {
        assert_eq!(Name::parse(&printed), Some(name));
    }
}
