//! What qmail-chkuser is asked: an address, and before it lines with terms.

/// An address, and when it counts as one that is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Question<'q> {
    /// Who is looked for.
    pub address: &'q [u8],
    /// Of a mailbox that is full to so many percent, that is said: `quota 90`.
    pub quota: Option<u64>,
    /// Only where vpopmail knows all mailboxes may somebody be missing: `domain`.
    pub only_known_domains: bool,
}

impl<'q> Question<'q> {
    /// About this address, without terms.
    pub fn about(address: &'q [u8]) -> Self {
        Self { address, ..Self::default() }
    }

    /// Reads a question; `None` if it has a term that nobody knows. No address has an LF.
    pub fn parse(text: &'q [u8]) -> Option<Self> {
        let mut lines = text.split(|byte| *byte == b'\n');
        let mut question = Self::about(lines.next_back().unwrap_or_default());
        for line in lines {
            match line.strip_prefix(b"quota ") {
                Some(percent) => {
                    question.quota = Some(std::str::from_utf8(percent).ok()?.parse().ok()?);
                }
                None if line == b"domain" => question.only_known_domains = true,
                None => return None,
            }
        }
        Some(question)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_lines_before_the_address() {
        let plain = Question::about(b"joe@here");
        assert_eq!(Question::parse(b"joe@here").unwrap(), plain);
        let all = Question { quota: Some(90), only_known_domains: true, ..plain };
        assert_eq!(Question::parse(b"quota 90\ndomain\njoe@here").unwrap(), all);
        assert_eq!(Question::parse(b"").unwrap(), Question::about(b""));
        for text in ["quota\njoe", "quota x\njoe", "nonsense\njoe", "\njoe"] {
            assert_eq!(Question::parse(text.as_bytes()), None, "{text}");
        }
    }
}
