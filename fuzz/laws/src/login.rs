//! SASL.

use qmail_wire::base64;
use qmail_wire::sasl::{Exchange, Mechanism, Step};

/// No exchange takes more than two lines, and nobody claims to be nobody, or what could be read as
/// two words by whoever checks passwords.
pub(crate) fn sasl(bytes: &[u8]) {
    assert_eq!(base64::decode(&base64::encode(bytes)).as_deref(), Some(bytes));
    if let Some(decoded) = base64::decode(bytes) {
        assert_eq!(base64::encode(&decoded), bytes, "one text for each value");
    }
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let mut words = first.splitn(2, |byte| *byte == b' ');
    let named = words.next().and_then(Mechanism::named);
    for mechanism in [Mechanism::Plain, Mechanism::Login, Mechanism::CramMd5] {
        let initial = if named == Some(mechanism) { words.next() } else { None };
        let mut step = Exchange::begin(mechanism, b"<1.2@host>", initial);
        let mut answers = bytes.split(|byte| *byte == b'\n').skip(usize::from(initial.is_some()));
        let mut asked = 0;
        while let Step::Ask(exchange, question) = step {
            asked += 1;
            assert!(asked <= 2 && base64::decode(&question).is_some());
            step = exchange.answer(answers.next().unwrap_or(b"*"));
        }
        if let Step::Claimed(claim) = step {
            assert!(!claim.user.is_empty() && !claim.secret.is_empty());
            let request = claim.request();
            let words = request.as_ref().split(|byte| *byte == 0).count();
            assert_eq!(words, 4, "three strings, each with its NUL");
        }
    }
}
