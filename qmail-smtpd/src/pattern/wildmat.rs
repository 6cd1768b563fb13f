//! wildmat: the patterns of INN, which spamcontrol's lists are written in.

/// Whether `pattern` is the whole of `text`. `*` is any run of bytes, `?` one byte, `[a-z]` one of
/// these, `[^a-z]` one of the others, and `\x` is x itself. Letters are not the same in upper and
/// lower case.
pub(crate) fn wildmat(pattern: &[u8], text: &[u8]) -> bool {
    let (mut rest, mut text) = (pattern, text);
    // Where to go on if the latest star has to take another byte. Earlier stars need never take
    // more: so the time is the product of both lengths at worst.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some(behind) = rest.strip_prefix(b"*") {
            retry = Some((behind, text));
            rest = behind;
            continue;
        }
        let matched = match (step(rest, text.first().copied()), text.split_first()) {
            (Some(behind), Some((_, left))) => {
                rest = behind;
                text = left;
                true
            }
            _ => rest.is_empty() && text.is_empty(),
        };
        if matched {
            if rest.is_empty() && text.is_empty() {
                return true;
            }
            continue;
        }
        match retry.and_then(|(behind, from)| Some((behind, from.split_first()?.1))) {
            Some((behind, from)) => {
                retry = Some((behind, from));
                rest = behind;
                text = from;
            }
            None => return false,
        }
    }
}

/// The pattern behind its first element, if that takes `byte`.
fn step(pattern: &[u8], byte: Option<u8>) -> Option<&[u8]> {
    let byte = byte?;
    let (first, behind) = pattern.split_first()?;
    match first {
        b'?' => Some(behind),
        b'[' => set(behind, byte),
        b'\\' => {
            let (literal, behind) = behind.split_first()?;
            (*literal == byte).then_some(behind)
        }
        _ => (*first == byte).then_some(behind),
    }
}

/// The pattern behind a set, if `byte` is in it. A set that does not end takes nothing.
fn set(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    let (is_negated, members) = match pattern.strip_prefix(b"^") {
        Some(members) => (true, members),
        None => (false, pattern),
    };
    // The first byte is a member, whatever it is.
    let end = 1 + members.get(1..)?.iter().position(|byte| *byte == b']')?;
    let (mut members, behind) = members.split_at(end);
    let mut is_member = false;
    while let Some((low, rest)) = members.split_first() {
        let high = rest.strip_prefix(b"-").and_then(|rest| rest.first());
        is_member |= (*low..=*high.unwrap_or(low)).contains(&byte);
        members = if high.is_some() { rest.get(2..).unwrap_or_default() } else { rest };
    }
    (is_member != is_negated).then(|| behind.get(1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_text_must_be_matched() {
        let table = [
            ("*", "", true),
            ("*", "a@b", true),
            ("a", "ab", false),
            ("*@bad.example", "joe@bad.example", true),
            ("*@bad.example", "joe@bad.example.org", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*c*", "xaxbxcx", true),
            ("*a*b*c*", "xcxbxax", false),
            ("[a-c]x", "bx", true),
            ("[a-c]x", "dx", false),
            ("[^a-c]x", "dx", true),
            ("[^a-c]x", "ax", false),
            ("[]x]", "]", true),
            ("[a-", "a", false),
            (r"\*", "*", true),
            (r"\*", "a", false),
            ("", "", true),
            ("", "a", false),
            ("A", "a", false),
            ("a*", "a", true),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(wildmat(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_do_not_take_for_ever() {
        assert!(!wildmat(&b"*a".repeat(400), &[&[b'a'; 390][..], b"b"].concat()));
    }
}
