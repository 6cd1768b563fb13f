//! The envelope: from the client of qmail-queue to those who read `todo/`.

use qmail_address::EnvelopeSender;
use qmail_core::queue::Records;
use qmail_queue::envelope::{Source, copy};

/// What qmail-queue takes is copied byte for byte up to its end, and read back record by record.
pub(crate) fn envelope(bytes: &[u8]) {
    let mut file = Vec::new();
    if copy(bytes, &Source { user: 1, process: 2 }, &mut file).is_ok() {
        let end = bytes.windows(2).position(|pair| pair == [0, 0]).unwrap();
        assert_eq!(file, [b"u1\0p2\0", &bytes[..=end]].concat());
        let records: Vec<_> = Records::new(&file[..]).map(Result::unwrap).collect();
        let letters: Vec<u8> = records.iter().map(|record| record.letter).collect();
        assert_eq!(letters[..3], *b"upF");
        assert!(letters[3..].iter().all(|letter| *letter == b'T'));
        assert!(records.iter().all(|record| record.value.len() <= 1002));
    }
    for record in Records::new(bytes).flatten() {
        assert!(!record.value.contains(&0));
        sender(&record.value, bytes);
    }
}

fn sender(value: &[u8], recipient: &[u8]) {
    let sender = EnvelopeSender::parse(value);
    assert_eq!(sender.to_bytes(), value);
    let shown = sender.towards(recipient);
    assert!(shown.len() <= value.len() + recipient.len() + 1);
    let bounce = sender.bounce_address();
    assert!(bounce == value || [&bounce[..], b"-@[]"].concat() == value);
}
