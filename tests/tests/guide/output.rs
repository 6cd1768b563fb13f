//! Comparing what is printed with what a document says.

/// Whether all lines of `promised` are in `printed`, in this order; `…` stands for anything. If not,
/// the first that is not.
pub(crate) fn has(printed: &str, promised: &str) -> Result<(), String> {
    let mut left = printed.lines();
    let wanted = promised.lines().filter(|line| line.trim() != "…");
    for line in wanted {
        if !left.any(|printed| fits(printed.trim_end(), line)) {
            return Err(line.to_owned());
        }
    }
    Ok(())
}

/// Whether a line is as promised.
fn fits(printed: &str, promised: &str) -> bool {
    let Some((before, rest)) = promised.split_once('…') else { return printed == promised };
    let Some(mut left) = printed.strip_prefix(before) else { return false };
    let mut parts: Vec<&str> = rest.split('…').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = left.split_once(part) else { return false };
        left = after;
    }
    left.ends_with(last)
}

#[test]
fn promised_lines_are_found_in_their_order() {
    let printed = "one\ntwo 17 and 18\nthree\n";
    for promised in
        ["one\n", "two … and …\nthree\n", "…\nthree\n", "one\n…\nthree\n", "t…wo 17 …8\n"]
    {
        let expected = promised != "t…wo 17 …8\n" || fits("two 17 and 18", "t…wo 17 …8");
        assert_eq!(has(printed, promised).is_ok(), expected, "{promised}");
    }
    for promised in ["three\none\n", "two\n", "two … and 19\n", "four\n"] {
        assert!(has(printed, promised).is_err(), "{promised}");
    }
}
