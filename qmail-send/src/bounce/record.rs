//! One failed recipient, as it stands in `bounce/` until the message is finished.

use qmail_address::{host, host_and_suffixes};
use qmail_core::control::Map;

/// A recipient as the sender wrote him: without what `virtualdomains` put before him.
pub(crate) fn original_recipient<'r>(recipient: &'r [u8], virtual_domains: &Map) -> &'r [u8] {
    let Some(host) = host(recipient) else { return recipient };
    let keys = host_and_suffixes(host).chain(std::iter::once(b"".as_slice()));
    let owner = virtual_domains.first(keys).filter(|owner| !owner.is_empty());
    let rest = owner.and_then(|owner| recipient.strip_prefix(owner)?.strip_prefix(b"-"));
    rest.unwrap_or(recipient)
}

/// The paragraph about a recipient. It ends with an empty line, and has no other.
pub(crate) fn record(recipient: &[u8], text: &[u8]) -> Vec<u8> {
    let mut record = vec![b'<'];
    record.extend(recipient.iter().map(|byte| if *byte == b'\n' { b'_' } else { *byte }));
    record.extend_from_slice(b">:\n");
    record.extend_from_slice(text);
    if !record.ends_with(b"\n") {
        record.push(b'\n');
    }
    fill_empty_lines(&mut record);
    record.push(b'\n');
    record
}

/// An empty line would end the paragraph. From the end backwards, so that of several LF every
/// second one stays; the last byte is left alone.
fn fill_empty_lines(record: &mut [u8]) {
    for at in (1..record.len().saturating_sub(1)).rev() {
        let (before, rest) = record.split_at_mut(at);
        if let (Some(b'\n'), Some(byte @ b'\n')) = (before.last(), rest.first_mut()) {
            *byte = b'/';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(recipient: &str, text: &str) -> String {
        String::from_utf8(record(recipient.as_bytes(), text.as_bytes())).unwrap()
    }

    #[test]
    fn a_record_is_a_paragraph() {
        assert_eq!(text("a@b", "No such user.\n"), "<a@b>:\nNo such user.\n\n");
        assert_eq!(text("a@b", "No such user."), "<a@b>:\nNo such user.\n\n");
        assert_eq!(text("a@b", ""), "<a@b>:\n\n");
        assert_eq!(text("a\nb@c", "x\n"), "<a_b@c>:\nx\n\n");
    }

    #[test]
    fn empty_lines_within_are_filled() {
        assert_eq!(text("r", "a\n\nb\n"), "<r>:\na\n/b\n\n");
        assert_eq!(text("r", "\nb\n"), "<r>:\n/b\n\n");
        assert_eq!(text("r", "a\n\n\nb\n"), "<r>:\na\n//b\n\n");
        assert_eq!(text("r", "\n\n\n"), "<r>:\n//\n\n");
    }

    #[test]
    fn what_virtualdomains_added_is_taken_away() {
        let lines = ["v.example:joe", ".w.example:jane", "x.example:", ":all", "u@y.example:u"];
        let map: Map = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        for (recipient, expected) in [
            ("joe-a@v.example", "a@v.example"),
            ("joe-a@V.EXAMPLE", "a@V.EXAMPLE"),
            ("joea@v.example", "joea@v.example"),
            ("a@v.example", "a@v.example"),
            ("jane-a@s.w.example", "a@s.w.example"),
            ("all-a@x.example", "all-a@x.example"),
            ("all-a@z.example", "a@z.example"),
            ("u-u@y.example", "u-u@y.example"),
            ("all-a", "all-a"),
        ] {
            assert_eq!(original_recipient(recipient.as_bytes(), &map), expected.as_bytes());
        }
    }
}
