//! Expressions that need no compiler: plain text, any byte, and anchors. Most lines of most lists
//! are of this kind, and each session reads all of them.

/// Such an expression.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Simple {
    from_start: bool,
    to_end: bool,
    /// `None` is any byte; letters are in lower case.
    bytes: Vec<Option<u8>>,
}

impl Simple {
    /// `None` if it takes more to understand the expression.
    pub(super) fn new(expression: &[u8]) -> Option<Self> {
        let (from_start, rest) = match expression.strip_prefix(b"^") {
            Some(rest) => (true, rest),
            None => (false, expression),
        };
        let mut bytes = Vec::with_capacity(rest.len());
        let mut to_end = false;
        let mut rest = rest.iter();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                _ if to_end => return None,
                b'.' => None,
                b'$' => {
                    to_end = true;
                    continue;
                }
                b'\\' => Some(*rest.next().filter(|byte| byte.is_ascii_punctuation())?)
                    .filter(|byte| !b"<>`'".contains(byte))
                    .map(Some)?,
                b'[' | b']' | b'(' | b')' | b'{' | b'}' | b'*' | b'+' | b'?' | b'|' | b'^' => {
                    return None;
                }
                byte => Some(byte.to_ascii_lowercase()),
            });
        }
        Some(Self { from_start, to_end, bytes })
    }

    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        let Some(last) = text.len().checked_sub(self.bytes.len()) else { return false };
        match (self.from_start, self.to_end) {
            (true, true) => last == 0 && self.is_at(text, 0),
            (true, false) => self.is_at(text, 0),
            (false, true) => self.is_at(text, last),
            (false, false) => (0..=last).any(|start| self.is_at(text, start)),
        }
    }

    fn is_at(&self, text: &[u8], start: usize) -> bool {
        let part = text.get(start..).unwrap_or_default();
        self.bytes
            .iter()
            .zip(part)
            .all(|(wanted, byte)| wanted.is_none_or(|wanted| byte.to_ascii_lowercase() == wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_simple_and_operators_are_not() {
        for expression in ["a", "^a.b$", r"\.\$\^", "@Example.com", "^", "$"] {
            assert!(Simple::new(expression.as_bytes()).is_some(), "{expression}");
        }
        for expression in ["a*", "a$b", "(a)", "[a]", r"\<a", r"\w", r"a\", "a|b", "b^"] {
            assert!(Simple::new(expression.as_bytes()).is_none(), "{expression}");
        }
    }

    #[test]
    fn anchors_hold_the_ends() {
        let is_in = |expression: &str, text: &str| {
            Simple::new(expression.as_bytes()).unwrap().is_in(text.as_bytes())
        };
        assert!(is_in("b.D", "abcde") && is_in("^ab", "AB") && is_in("de$", "abcde"));
        assert!(!is_in("^b", "ab") && !is_in("a$", "ab") && !is_in("^ab$", "abc"));
        assert!(is_in("^$", "") && !is_in("^$", "a") && is_in("$", "a"));
        assert!(!is_in("abc", "ab") && is_in(r"\.", "a.b"));
    }
}
