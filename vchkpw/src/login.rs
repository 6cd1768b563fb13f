//! The name that somebody logs in by.

/// A user and his domain, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user.
    pub user: Vec<u8>,
    /// The domain.
    pub domain: Vec<u8>,
}

impl Login {
    /// Reads `user@domain`, or `user%domain` for clients that cut at the first; a name alone is in
    /// the `usual` domain, if there is one.
    pub fn parse(name: &[u8], usual: impl FnOnce() -> Option<Vec<u8>>) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let at = name.iter().rposition(|byte| b"@%".contains(byte));
        let (user, domain) = match at {
            Some(at) => (name.get(..at)?.to_vec(), name.get(at + 1..)?.to_vec()),
            None => (name, usual()?),
        };
        let is_plain = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_graphic);
        (is_plain(&user) && is_plain(&domain)).then_some(Self { user, domain })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_user_and_a_domain() {
        let parse = |name: &str, usual: Option<&str>| {
            let login = Login::parse(name.as_bytes(), || usual.map(|usual| usual.into()))?;
            Some(format!("{} at {}", login.user.escape_ascii(), login.domain.escape_ascii()))
        };
        assert_eq!(parse("Ann@D.example", None).unwrap(), "ann at d.example");
        assert_eq!(parse("ann%d.example", Some("x")).unwrap(), "ann at d.example");
        assert_eq!(parse("ann", Some("x")).unwrap(), "ann at x");
        for name in ["ann", "@d", "ann@", "", "a b@d", "ann@d\n"] {
            assert_eq!(parse(name, None), None, "{name:?}");
        }
    }
}
