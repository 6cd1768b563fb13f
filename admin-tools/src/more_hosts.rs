//! The lines of `control/morercpthosts`, as keys of its database.

/// The key for a line; `None` if the line does not count. Keys are in lower case, as they are
/// looked for.
pub fn key(line: &[u8]) -> Option<Vec<u8>> {
    let end = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t' | b'\n'))?;
    let line = line.get(..=end).filter(|line| !line.starts_with(b"#"))?;
    Some(line.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_lower_case_and_blanks_stay_in_front_only() {
        assert_eq!(key(b" Host.Example \t\n").unwrap(), b" host.example");
        assert_eq!(key(b".a").unwrap(), b".a");
    }

    #[test]
    fn comments_and_empty_lines_do_not_count() {
        for line in [b"".as_slice(), b"\n", b" \t\n", b"# a\n", b"#"] {
            assert_eq!(key(line), None);
        }
        assert!(key(b" # not a comment\n").is_some());
    }
}
