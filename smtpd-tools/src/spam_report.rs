//! What SpamAssassin wrote into a message.

/// The score in hundredths, from `X-Spam-Status: Yes, score=7.2 required=5.0 ...` in the header.
pub fn score(message: &[u8]) -> Option<i64> {
    let lines = message.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    let mut lines = lines.skip_while(|line| !is_status(line));
    let mut field = lines.next()?.to_vec();
    for line in lines.take_while(|line| matches!(line.first(), Some(b' ' | b'\t'))) {
        field.extend_from_slice(line);
    }
    let field = String::from_utf8_lossy(&field).into_owned();
    hundredths(field.split(['=', ' ', '\t', ',']).skip_while(|word| *word != "score").nth(1)?)
}

/// A number such as `7`, `-0.5` or `12.25`, in hundredths.
pub fn hundredths(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if !part.bytes().all(|byte| byte.is_ascii_digit())
        || !whole.starts_with(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let part: i64 = format!("{part:0<2}").get(..2)?.parse().ok()?;
    Some(sign * whole.checked_mul(100)?.checked_add(part)?)
}

fn is_status(line: &[u8]) -> bool {
    let name = b"X-Spam-Status:";
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_is_found_in_the_header_only() {
        let message = b"A: b\nX-Spam-Status: Yes, score=1000.2 required=5.0 tests=GTUBE\n\nx\n";
        assert_eq!(score(message), Some(100_020));
        assert_eq!(score(b"X-Spam-Status: No,\n\tscore=-0.5\n\trequired=5.0\n\n"), Some(-50));
        assert_eq!(score(b"A: b\n\nX-Spam-Status: Yes, score=9\n"), None);
        assert_eq!(score(b"X-Spam-Status: No, hits\n\n"), None);
    }

    #[test]
    fn numbers_have_two_places() {
        let table = [("7", Some(700)), ("-0.5", Some(-50)), ("7.259", Some(725)), ("x", None)];
        for (text, expected) in table {
            assert_eq!(hundredths(text), expected, "{text}");
        }
        assert_eq!(
            (hundredths(""), hundredths("1.x"), hundredths("99999999999999999999")),
            (None, None, None)
        );
    }
}
