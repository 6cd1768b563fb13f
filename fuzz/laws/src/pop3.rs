//! POP3: numbers in arguments, messages on the wire, and their sizes.

use qmail_wire::pop3::{MessageEncoder, SizeCounter, message_number, number_and_count};

use crate::same_in_pieces;

pub(crate) fn pop3(bytes: &[u8]) {
    numbers(bytes);
    same_in_pieces(bytes, |pieces| {
        let mut counter = SizeCounter::new();
        pieces.iter().for_each(|piece| counter.count(piece));
        let top = encoded(pieces, Some(2));
        let all = encoded(pieces, None);
        assert_eq!(counter.total(), u64::try_from(without_dots(&all)).unwrap());
        assert!(top.len() <= all.len());
        (counter.total(), top, all)
    });
}

fn encoded(pieces: &[&[u8]], lines: Option<usize>) -> Vec<u8> {
    let mut encoder = MessageEncoder::new(lines);
    let mut wire = Vec::new();
    for piece in pieces {
        if !encoder.encode(piece, &mut wire) {
            break;
        }
    }
    encoder.finish(&mut wire);
    // A client that reads up to a lone dot reads all of it, and nothing more.
    let end = wire.windows(5).position(|window| window == b"\r\n.\r\n").unwrap();
    assert_eq!(end + 5, wire.len());
    wire
}

/// The length without what only the wire has: doubled dots, and the last one with its line end.
fn without_dots(wire: &[u8]) -> usize {
    let lines = wire.split_inclusive(|byte| *byte == b'\n');
    wire.len() - lines.filter(|line| line.starts_with(b"..")).count() - 3
}

fn numbers(argument: &[u8]) {
    let digits = argument.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match message_number(argument) {
        Ok(index) => {
            let text = std::str::from_utf8(&argument[..digits]).unwrap();
            let number = text.parse().unwrap_or(usize::MAX);
            assert_eq!(index + 1, number);
        }
        Err(_) => assert!(argument[..digits].iter().all(|digit| *digit == b'0')),
    }
    if let Ok((index, _)) = number_and_count(argument) {
        assert_eq!(message_number(argument), Ok(index));
    }
}
