//! Which files may hold the instructions for an address.

/// One file that may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name, relative to the home directory.
    pub name: Vec<u8>,
    /// What its `default` stands for, as an offset in the extension; `None` without one.
    pub default: Option<usize>,
}

/// The candidates, in the order in which they are tried: the whole extension, then `default` in
/// place of the end of it, the shortest end first.
///
/// Quirk: with neither dash nor extension, `.qmaildefault` is the second one. Pinned by
/// `without_an_extension_there_are_two`.
pub fn candidates(dash: &[u8], safe_extension: &[u8]) -> impl Iterator<Item = Candidate> {
    let name = move |extension: &[u8], rest: &[u8]| [b".qmail", dash, extension, rest].concat();
    let whole = Candidate {
        name: name(safe_extension, b""),
        default: safe_extension.strip_suffix(b"default").map(<[u8]>::len),
    };
    let may_end_at = move |end: &usize| {
        end.checked_sub(1).is_none_or(|last| safe_extension.get(last) == Some(&b'-'))
    };
    let defaults = (0..=safe_extension.len()).rev().filter(may_end_at).map(move |end| Candidate {
        name: name(safe_extension.get(..end).unwrap_or_default(), b"default"),
        default: Some(end),
    });
    std::iter::once(whole).chain(defaults)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dash: &[u8], extension: &[u8]) -> Vec<String> {
        candidates(dash, extension).map(|one| String::from_utf8(one.name).unwrap()).collect()
    }

    #[test]
    fn default_replaces_more_and_more() {
        assert_eq!(
            names(b"-", b"a-b-c"),
            [".qmail-a-b-c", ".qmail-a-b-default", ".qmail-a-default", ".qmail-default"]
        );
        assert_eq!(names(b"-", b"a-"), [".qmail-a-", ".qmail-a-default", ".qmail-default"]);
        assert_eq!(names(b"-/", b"a"), [".qmail-/a", ".qmail-/default"]);
    }

    #[test]
    fn without_an_extension_there_are_two() {
        assert_eq!(names(b"", b""), [".qmail", ".qmaildefault"]);
    }

    #[test]
    fn default_stands_for_the_end_of_the_extension() {
        let defaults =
            |extension| candidates(b"-", extension).map(|one| one.default).collect::<Vec<_>>();
        assert_eq!(defaults(b"a-b"), [None, Some(2), Some(0)]);
        assert_eq!(defaults(b"a-default"), [Some(2), Some(2), Some(0)]);
        assert_eq!(defaults(b"default"), [Some(0), Some(0)]);
    }
}
