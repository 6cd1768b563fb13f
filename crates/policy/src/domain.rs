//! Names in DNS that mail may be signed for.

use std::fmt;

/// A domain or a selector: labels of letters, digits, `-` and `_`, in lower case. So it is a safe
/// file name, too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(String);

impl Domain {
    /// Reads a name; `None` if DNS could not have it, or if it is in no alphabet of DNS.
    pub fn parse(name: &[u8]) -> Option<Self> {
        let name = name.strip_suffix(b".").unwrap_or(name);
        let is_label = |label: &[u8]| {
            (1..=63).contains(&label.len())
                && label.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
        };
        if name.len() > 253 || !name.split(|byte| *byte == b'.').all(is_label) {
            return None;
        }
        String::from_utf8(name.to_ascii_lowercase()).ok().map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The domain and all above it, but for the last label: nobody signs for `com`.
    pub fn and_parents(&self) -> impl Iterator<Item = Self> + '_ {
        let name = self.0.as_str();
        let parents = name.match_indices('.').filter_map(move |(dot, _)| name.get(dot + 1..));
        let parents = parents.filter(|parent| parent.contains('.'));
        std::iter::once(name).chain(parents).map(|name| Self(name.to_owned()))
    }

    /// Whether `other` is this domain or below it.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let before = other.0.strip_suffix(&self.0);
        before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(name: &str) -> Domain {
        Domain::parse(name.as_bytes()).unwrap()
    }

    #[test]
    fn case_and_a_last_dot_do_not_count() {
        assert_eq!(domain("Mail.Example."), domain("mail.example"));
    }

    #[test]
    fn a_name_is_never_a_path() {
        for name in ["", ".", "..", "a..b", "../a", "a/b", "a\0", "a b", "\u{e4}.example", "-/."] {
            assert_eq!(Domain::parse(name.as_bytes()), None, "{name:?}");
        }
        assert_eq!(Domain::parse(&[b'a'; 64]), None);
        assert_eq!(Domain::parse(&b"abc.".repeat(64)), None);
    }

    #[test]
    fn parents_end_before_the_last_label() {
        let names: Vec<_> = domain("a.b.example.org").and_parents().collect();
        assert_eq!(names, ["a.b.example.org", "b.example.org", "example.org"].map(domain));
        assert_eq!(domain("localhost").and_parents().count(), 1);
    }

    #[test]
    fn a_domain_covers_what_is_below_it() {
        assert!(domain("example.org").covers(&domain("example.org")));
        assert!(domain("example.org").covers(&domain("a.example.org")));
        assert!(!domain("example.org").covers(&domain("badexample.org")));
        assert!(!domain("a.example.org").covers(&domain("example.org")));
    }
}
