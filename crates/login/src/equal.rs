//! Whether two secrets are the same, without telling where they differ.

use std::hint::black_box;

/// Compares all bytes, however early they differ.
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    let difference = left.iter().zip(right).fold(0, |sum, (left, right)| {
        // Lest the compiler stops at the first difference.
        black_box(sum | (left ^ right))
    });
    left.len() == right.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_bytes_are_equal() {
        assert!(equal(b"", b"") && equal(b"secret", b"secret"));
        for other in [b"".as_slice(), b"secre", b"secrets", b"Secret", b"secreT"] {
            assert!(!equal(b"secret", other) && !equal(other, b"secret"), "{other:?}");
        }
    }
}
