//! What stands behind the address in MAIL: RFC 5321 §4.1.1.11.

use qmail_core::control::leading_number;

/// The number in `SIZE=`, wherever among the parameters it stands. Too large a number counts as
/// the largest.
pub(super) fn size(argument: &[u8]) -> Option<u64> {
    value(argument, b"size").and_then(leading_number)
}

/// The value of a parameter, in whatever case its name is written.
fn value<'a>(argument: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    behind_address(argument).split(|byte| *byte == b' ').find_map(|word| {
        let equals = word.iter().position(|byte| *byte == b'=')?;
        let (word, value) = word.split_at(equals);
        word.eq_ignore_ascii_case(name).then(|| value.get(1..).unwrap_or_default())
    })
}

/// What follows the bracket that ends the address, or else the first word.
fn behind_address(argument: &[u8]) -> &[u8] {
    let Some(start) = argument.iter().position(|byte| *byte == b'<') else {
        let space = argument.iter().position(|byte| *byte == b' ');
        return space.and_then(|space| argument.get(space..)).unwrap_or_default();
    };
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in argument.iter().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return argument.get(at..).unwrap_or_default(),
            _ => {}
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_size_is_found_wherever_it_stands() {
        let table: [(&str, Option<u64>); 8] = [
            ("FROM:<a@b> SIZE=17", Some(17)),
            ("FROM:<a@b> BODY=8BITMIME size=17x AUTH=<>", Some(17)),
            ("FROM:<a@b> BODY=8BITMIME size=17x", Some(17)),
            ("FROM:a@b Size=3", Some(3)),
            ("FROM:<a@b> SIZE=99999999999999999999999", Some(u64::MAX)),
            ("FROM:<\"SIZE=3 >\"@b>", None),
            ("FROM:<a@b> SIZE=", None),
            ("FROM:<a@b>", None),
        ];
        for (argument, size) in table {
            assert_eq!(super::size(argument.as_bytes()), size, "{argument}");
        }
    }
}
