//! Messages on the wire: what one end writes, the other reads; nothing is smuggled.

use qmail_wire::smtp_client::BodyEncoder;
use qmail_wire::smtp_server::{DataDecoder, HopCounter};

use crate::same_in_pieces;

pub(crate) fn smtp(bytes: &[u8]) {
    received(bytes);
    sent(bytes);
    same_in_pieces(bytes, |pieces| {
        let mut hops = HopCounter::new();
        pieces.iter().map(|piece| hops.count(piece)).last().unwrap_or(0)
    });
}

/// A message ends where it ends, however it arrives, and has no line end but LF.
fn received(wire: &[u8]) {
    same_in_pieces(wire, |pieces| {
        let mut decoder = DataDecoder::new();
        let (mut message, mut seen) = (Vec::new(), 0);
        for piece in pieces {
            match decoder.decode(piece, &mut message) {
                Err(_) => return Err(()),
                Ok(None) => seen += piece.len(),
                Ok(Some(used)) => {
                    assert!(!message.contains(&b'\r'));
                    return Ok((message, Some(seen + used)));
                }
            }
        }
        Ok((message, None))
    });
}

/// Whatever is sent ends only at its end, and arrives with LF for each of its line ends.
fn sent(message: &[u8]) {
    same_in_pieces(message, |pieces| {
        let mut encoder = BodyEncoder::new();
        let mut wire = Vec::new();
        pieces.iter().for_each(|piece| encoder.encode(piece, &mut wire));
        encoder.finish(&mut wire).map(|()| wire).map_err(|_| ())
    });
    let mut encoder = BodyEncoder::new();
    let mut wire = Vec::new();
    encoder.encode(message, &mut wire);
    if encoder.finish(&mut wire).is_err() {
        return;
    }
    let mut arrived = Vec::new();
    let end = DataDecoder::new().decode(&wire, &mut arrived);
    assert_eq!(end, Ok(Some(wire.len())));
    assert_eq!(arrived, with_lf(message));
}

fn with_lf(message: &[u8]) -> Vec<u8> {
    let mut after_cr = false;
    let mut converted = Vec::new();
    for byte in message {
        match byte {
            b'\r' => converted.push(b'\n'),
            b'\n' if after_cr => {}
            byte => converted.push(*byte),
        }
        after_cr = *byte == b'\r';
    }
    converted
}
