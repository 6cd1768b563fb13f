//! Messages written out byte by byte, so that the codec is not tested against itself.

use super::*;

const HEADER: usize = 12;

fn question(kind: RecordType) -> Question {
    let name = Name::from_ascii("A.example.").unwrap();
    Question { id: 7, name, kind, extension: Extension::Announced }
}

fn name(text: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in text.split('.') {
        wire.push(u8::try_from(label.len()).unwrap());
        wire.extend_from_slice(label.as_bytes());
    }
    wire.push(0);
    wire
}

fn record(owner: &str, kind: u16, ttl: u32, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).unwrap();
    [
        &name(owner),
        &kind.to_be_bytes()[..],
        &[0, 1],
        &ttl.to_be_bytes(),
        &length.to_be_bytes(),
        contents,
    ]
    .concat()
}

/// A message with the question above; `flags` are the two bytes after the number.
fn message(flags: [u8; 2], kind: u16, sections: [&[Vec<u8>]; 3]) -> Vec<u8> {
    let count = |at: usize| u16::try_from(sections[at].len()).unwrap().to_be_bytes();
    let header = [[0, 7], flags, [0, 1], count(0), count(1), count(2)].concat();
    assert_eq!(header.len(), HEADER);
    let mut bytes = [header, name("a.EXAMPLE"), kind.to_be_bytes().to_vec(), vec![0, 1]].concat();
    bytes.extend(sections.concat().concat());
    bytes
}

const FINE: [u8; 2] = [0x81, 0x80];
const MX: u16 = 15;
const A_RECORD: u16 = 1;
const CNAME: u16 = 5;
const OPT: u16 = 41;

fn read_a(flags: [u8; 2], answers: &[Vec<u8>]) -> Reading {
    read(&question(RecordType::A), &message(flags, A_RECORD, [answers, &[], &[]]))
}

#[test]
fn records_of_other_owners_and_types_do_not_answer() {
    let answers = [
        record("other.example", A_RECORD, 1, &[192, 0, 2, 9]),
        record("a.example", 46, 1, b"a signature that is not one"),
        record("A.Example", A_RECORD, 1, &[192, 0, 2, 1]),
    ];
    let expected = vec![Data::Ipv4(Ipv4Addr::new(192, 0, 2, 1))];
    assert_eq!(read_a(FINE, &answers), Reading::Settled(Ok(expected)));
}

#[test]
fn aliases_are_followed_in_any_order_and_not_for_ever() {
    let answers = [
        record("c.example", A_RECORD, 1, &[192, 0, 2, 3]),
        record("b.example", CNAME, 1, &name("c.example")),
        record("a.example", CNAME, 1, &name("b.example")),
    ];
    let expected = vec![Data::Ipv4(Ipv4Addr::new(192, 0, 2, 3))];
    assert_eq!(read_a(FINE, &answers), Reading::Settled(Ok(expected)));
    let circle = [
        record("b.example", CNAME, 1, &name("a.example")),
        record("a.example", CNAME, 1, &name("b.example")),
    ];
    assert_eq!(read_a(FINE, &circle), Reading::Useless(Cause::Malformed));
}

#[test]
fn exchangers_keep_preference_and_name() {
    let answers = [record("a.example", MX, 1, &[&[0, 10][..], &name("mx.example")].concat())];
    let reading =
        read(&question(RecordType::MX), &message(FINE, MX, [answers.as_slice(), &[], &[]]));
    let exchanger = Name::from_ascii("mx.example.").unwrap();
    assert_eq!(reading, Reading::Settled(Ok(vec![Data::Exchanger(10, exchanger)])));
}

#[test]
fn only_a_missing_name_or_record_is_hard() {
    assert_eq!(read_a([0x81, 0x83], &[]), Reading::Settled(Err(Failure::NoSuchName)));
    assert_eq!(read_a(FINE, &[]), Reading::Settled(Err(Failure::NoSuchRecord)));
    assert_eq!(read_a([0x81, 0x82], &[]), Reading::Useless(Cause::Refused(2)));
    assert_eq!(read_a([0x81, 0x85], &[]), Reading::Useless(Cause::Refused(5)));
    assert_eq!(read_a([0x81, 0x81], &[]), Reading::Unextended);
    assert_eq!(read_a([0x81, 0x84], &[]), Reading::Unextended);
}

#[test]
fn a_server_that_only_sends_us_on_is_lame() {
    assert_eq!(read_a([0x81, 0x00], &[]), Reading::Useless(Cause::Lame));
    assert_eq!(read_a([0x85, 0x00], &[]), Reading::Settled(Err(Failure::NoSuchRecord)));
    let alias = [record("a.example", CNAME, 1, &name("b.example"))];
    assert_eq!(read_a([0x85, 0x00], &alias), Reading::Useless(Cause::Lame));
    assert_eq!(read_a(FINE, &alias), Reading::Settled(Err(Failure::NoSuchRecord)));
}

#[test]
fn the_upper_bits_of_a_code_are_not_overlooked() {
    let mut opt = record("", OPT, 0x0100_0000, b"");
    opt.remove(0);
    let bytes = message(FINE, A_RECORD, [&[], &[], &[opt]]);
    assert_eq!(read(&question(RecordType::A), &bytes), Reading::Unextended);
}

#[test]
fn other_numbers_questions_and_queries_are_not_ours() {
    let ours = message(FINE, A_RECORD, [&[], &[], &[]]);
    let with = |at: usize, byte: u8| {
        let mut bytes = ours.clone();
        bytes[at] = byte;
        read(&question(RecordType::A), &bytes)
    };
    assert_eq!(with(1, 8), Reading::NotOurs);
    assert_eq!(with(2, 0x01), Reading::NotOurs);
    assert_eq!(with(5, 0), Reading::NotOurs);
    assert_eq!(with(5, 2), Reading::NotOurs);
    assert_eq!(with(HEADER + 1, b'b'), Reading::NotOurs);
    assert_eq!(read(&question(RecordType::MX), &ours), Reading::NotOurs);
    assert_eq!(read(&question(RecordType::A), &ours[..11]), Reading::NotOurs);
    assert_eq!(read(&question(RecordType::A), b""), Reading::NotOurs);
}

#[test]
fn a_refusal_need_not_repeat_the_question() {
    let bytes = [0, 7, 0x81, 0x81, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(read(&question(RecordType::A), &bytes), Reading::Unextended);
}

#[test]
fn a_truncated_answer_counts_as_such_however_it_was_cut() {
    let answers = [record("a.example", A_RECORD, 1, &[192, 0, 2, 1])];
    let mut bytes = message([0x83, 0x80], A_RECORD, [answers.as_slice(), &[], &[]]);
    bytes.truncate(bytes.len() - 3);
    assert_eq!(read(&question(RecordType::A), &bytes), Reading::Truncated);
}

#[test]
fn an_answer_cut_anywhere_is_never_a_verdict() {
    let answers = [
        record("a.example", CNAME, 1, &name("b.example")),
        record("b.example", A_RECORD, 1, &[192, 0, 2, 1]),
    ];
    let bytes = message(FINE, A_RECORD, [answers.as_slice(), &[], &[]]);
    for length in 0..bytes.len() {
        let reading = read(&question(RecordType::A), &bytes[..length]);
        assert!(!matches!(reading, Reading::Settled(_)), "{length}");
    }
}

#[test]
fn no_byte_can_be_changed_into_a_panic() {
    let answers = [
        record("a.example", CNAME, 1, &[0xc0, 0x0c]),
        record("b.example", 16, 1, b"\x03abc\x02de"),
    ];
    let bytes = message(FINE, 16, [answers.as_slice(), &[], &[]]);
    for at in 0..bytes.len() {
        for value in 0..=255 {
            let mut changed = bytes.clone();
            changed[at] = value;
            let _ = read(&question(RecordType::TXT), &changed);
        }
    }
}

#[test]
fn contents_shorter_or_longer_than_they_claim_are_malformed() {
    for contents in [&[192, 0, 2][..], &[192, 0, 2, 1, 0]] {
        let answers = [record("a.example", A_RECORD, 1, contents)];
        assert_eq!(read_a(FINE, &answers), Reading::Useless(Cause::Malformed));
    }
}

#[test]
fn the_strings_of_a_text_are_one() {
    let answers = [record("a.example", 16, 1, b"\x03abc\0\x02de")];
    let bytes = message(FINE, 16, [answers.as_slice(), &[], &[]]);
    let expected = vec![Data::Text(b"abcde".to_vec())];
    assert_eq!(read(&question(RecordType::TXT), &bytes), Reading::Settled(Ok(expected)));
}
