//! Header fields: tokens and addresses.

use qmail_message::complete::Completion;
use qmail_message::field::unfold;
use qmail_message::header::Splitter;
use qmail_message::rewrite;
use qmail_message::token::{print, scan};

/// Tokens that are printed are the same tokens when they are read again.
pub(crate) fn tokens(bytes: &[u8]) {
    let Ok(tokens) = scan(&unfold(bytes)) else { return };
    let printed = print(&tokens);
    let field = printed.strip_suffix(b"\n").unwrap();
    let folded = |line: &[u8]| matches!(line.first(), Some(b' ' | b'\t'));
    assert!(field.split(|byte| *byte == b'\n').skip(1).all(folded), "a field of its own");
    let again = scan(&unfold(&printed)).unwrap();
    assert_eq!(print(&again), printed);
    splitting(bytes);
}

/// Nothing of a header is lost or made up while it is cut into fields.
fn splitting(bytes: &[u8]) {
    let mut splitter = Splitter::default();
    let mut seen = Vec::new();
    let mut rest =
        bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let mut expected = Vec::new();
    for line in rest.by_ref() {
        let Ok(progress) = splitter.line(line) else { return };
        // An mbox has it before the header; it is given a name.
        if line.starts_with(b"From ") {
            expected.extend_from_slice(b"MBOX-Line: ");
        }
        expected.extend_from_slice(line);
        seen.extend(progress.field.unwrap_or_default());
        if let Some(body) = progress.body {
            // An empty line may be put between a header and a body that has none before it.
            let whole = [&seen[..], &body].concat();
            let separated = [&seen[..], b"\n", &expected[seen.len()..]].concat();
            assert!(whole == expected || whole == separated);
            return;
        }
    }
    seen.extend(splitter.finish().unwrap_or_default());
    assert_eq!(seen, expected);
}

/// An address in full stays what it is, and a field that we have written says what we read in it.
pub(crate) fn addresses(bytes: &[u8]) {
    let completion = Completion::new(b"host.example", b"plus.example", b"domain.example").unwrap();
    let field = [b"To: ", bytes].concat();
    let _ = rewrite::addresses(&field);
    if let Ok(rewritten) = rewrite::field(&field, &completion) {
        let written = rewrite::addresses(&rewritten.field).unwrap();
        // A route that leads nowhere (`@a`) becomes nothing, of which nothing is written.
        let named = |address: &&Vec<u8>| !address.is_empty();
        assert!(written.iter().filter(named).eq(rewritten.addresses.iter().filter(named)));
        assert!(rewritten.addresses.iter().all(|address| !qmail_address::breaks_lines(address)));
    }
    if let Ok(full) = rewrite::address(bytes, &completion) {
        assert!(!qmail_address::breaks_lines(&full));
    }
    if let Ok(address) = qmail_address::Address::try_from(bytes) {
        assert_eq!(address.as_bytes(), bytes);
        assert!(bytes.len() < 1003 && !bytes.contains(&0));
    }
    let host = qmail_address::host(bytes).unwrap_or_default();
    assert!(qmail_address::host_and_suffixes(host).all(|suffix| host.ends_with(suffix)));
}
