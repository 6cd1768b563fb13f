//! Whether a password is the one whose hash is stored.

use std::hint::black_box;

use crate::equal;

/// Hashes a password in the way that an earlier hash names.
pub type Crypt<'a> = &'a dyn Fn(&[u8], &[u8]) -> Option<Vec<u8>>;

/// Nobody's hashes, for hosts on which no other is found. The first is of the kind that new accounts
/// have; the second is for C libraries that do not know it.
pub const NOBODY: [&[u8]; 2] = [b"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$", b"$6$nobodynobodynob$"];

/// Whether `password` belongs to the hash that is `stored`. Without one, or with one that belongs
/// to no password, the answer is no, and takes as long as with the hash of somebody else, which
/// `another` finds: a client shall not learn from that who has an account.
pub fn matches(
    password: &[u8],
    stored: Option<&[u8]>,
    another: impl FnOnce() -> Option<Vec<u8>>,
    crypt: Crypt<'_>,
) -> bool {
    let usable = stored.filter(|hash| is_usable(hash) && !password.is_empty());
    match usable {
        Some(hash) => crypt(password, hash).is_some_and(|computed| equal(&computed, hash)),
        None => {
            let another = another();
            let settings = another.as_deref().into_iter().chain(NOBODY);
            black_box(settings.into_iter().find_map(|hash| crypt(password, hash)));
            false
        }
    }
}

/// An empty hash is an account without password, and one that begins with `!` or `*` is locked.
pub fn is_usable(hash: &[u8]) -> bool {
    !hash.is_empty() && !hash.starts_with(b"!") && !hash.starts_with(b"*")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// `crypt` of a password `p` with a setting `s` is `s` up to its `|`, and then `p`.
    fn simple_crypt(password: &[u8], setting: &[u8]) -> Option<Vec<u8>> {
        let salt = setting.split(|byte| *byte == b'|').next()?;
        Some([salt, b"|", password].concat())
    }

    #[test]
    fn the_right_password_and_no_other_matches() {
        let check = |password: &[u8], stored: &[u8]| {
            matches(password, Some(stored), || None, &simple_crypt)
        };
        assert!(check(b"secret", b"salt|secret"));
        for password in [b"Secret".as_slice(), b"secre", b"secrets", b"", b"secret "] {
            assert!(!check(password, b"salt|secret"), "{password:?}");
        }
    }

    #[test]
    fn no_password_opens_an_account_that_is_locked_or_has_none() {
        let echo = |password: &[u8], setting: &[u8]| {
            let same = password == setting;
            same.then(|| setting.to_vec())
        };
        for stored in [b"".as_slice(), b"*", b"!", b"!!", b"*LK*", b"!$6$salt$hash"] {
            assert!(!matches(stored, Some(stored), || None, &echo), "{stored:?}");
            assert!(!matches(b"", Some(stored), || None, &echo), "{stored:?}");
        }
        assert!(!matches(b"x", None, || Some(b"x".to_vec()), &echo));
        assert!(!matches(b"", Some(b"salt|"), || None, &simple_crypt));
    }

    #[test]
    fn a_hash_that_the_library_does_not_know_matches_nothing() {
        assert!(!matches(b"x", Some(b"x"), || None, &|_, _| None));
    }

    #[test]
    fn whoever_it_is_one_hash_is_computed() {
        let settings = RefCell::new(Vec::new());
        let noting = |password: &[u8], setting: &[u8]| {
            settings.borrow_mut().push(setting.to_vec());
            simple_crypt(password, setting)
        };
        let another = || Some(b"other|x".to_vec());
        for stored in [Some(&b"salt|x"[..]), None, Some(b""), Some(b"!")] {
            matches(b"x", stored, another, &noting);
        }
        matches(b"", Some(b"salt|x"), another, &noting);
        matches(b"x", None, || None, &noting);
        let other = b"other|x".as_slice();
        let expected = [b"salt|x".as_slice(), other, other, other, other, NOBODY[0]];
        assert_eq!(*settings.borrow(), expected);
    }
}
