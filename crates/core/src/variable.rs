//! Values of variables that come from strangers.

use std::borrow::Cow;

/// A value that no shell takes for a function.
///
/// Quirk: one that begins like a function is changed in its first byte. Shells that import functions
/// (CVE-2014-6271) run what stands behind it, and anybody may send mail to `"() { …"@host`, or call
/// himself so in HELO. Pinned by `no_value_is_a_function`.
pub fn harmless(value: &[u8]) -> Cow<'_, [u8]> {
    match value.strip_prefix(b"(") {
        Some(rest) if rest.starts_with(b") ") => Cow::Owned([b"_", rest].concat()),
        _ => Cow::Borrowed(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_a_function() {
        assert_eq!(*harmless(b"() { :;}; x-() { :;}"), *b"_) { :;}; x-() { :;}");
        for value in [&b""[..], b"(", b"()", b"() ", b"joe@here", b"x () { :;}"] {
            assert!(!harmless(value).starts_with(b"() "), "{value:?}");
        }
        assert_eq!(*harmless(b"(x) y"), *b"(x) y");
    }
}
