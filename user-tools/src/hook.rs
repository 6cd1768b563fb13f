//! Words in which qsmhook puts what it knows of a delivery.

/// Whose message, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// `%g`
    pub sender: &'a [u8],
    /// `%h`
    pub host: &'a [u8],
    /// `%u`
    pub user: &'a [u8],
}

impl Delivery<'_> {
    /// `word` with each `%` and the letter after it replaced; letters that mean nothing go.
    pub fn fill(&self, word: &[u8]) -> Vec<u8> {
        let mut filled = Vec::with_capacity(word.len());
        let mut bytes = word.iter();
        while let Some(byte) = bytes.next() {
            match byte {
                b'%' => match bytes.next() {
                    Some(b'%') => filled.push(b'%'),
                    Some(b'g') => filled.extend_from_slice(self.sender),
                    Some(b'h') => filled.extend_from_slice(self.host),
                    Some(b'u') => filled.extend_from_slice(self.user),
                    _ => {}
                },
                byte => filled.push(*byte),
            }
        }
        filled
    }
}

/// `user` without a prefix, if it has that in upper or lower case.
pub fn without_prefix<'a>(user: &'a [u8], prefix: &[u8]) -> &'a [u8] {
    match user.split_at_checked(prefix.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(prefix) => rest,
        _ => user,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_behind_a_percent_sign_stand_for_the_delivery() {
        let delivery = Delivery { sender: b"s@x", host: b"here", user: b"joe%g" };
        assert_eq!(delivery.fill(b"-f%g %u@%h 100%%%z%"), b"-fs@x joe%g@here 100%");
        assert_eq!(delivery.fill(b""), b"");
    }

    #[test]
    fn a_prefix_goes_whatever_its_case() {
        assert_eq!(without_prefix(b"List-Joe", b"list-"), b"Joe");
        assert_eq!(without_prefix(b"joe", b"list-"), b"joe");
        assert_eq!(without_prefix(b"joe", b""), b"joe");
    }
}
