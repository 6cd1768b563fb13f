//! Which messages are meant.

use qmail_core::queue::QueueId;
use regex::bytes::{Regex, RegexBuilder};

use super::held::Facts;
use super::parts::Parts;

/// One way to choose messages.
#[derive(Clone, Debug)]
pub(super) enum Choice {
    All,
    Number(QueueId),
    Sender(Vec<u8>),
    SenderLike(Regex),
    Subject(Vec<u8>),
    Header(Regex),
    Body(Regex),
    Recipient(Regex),
}

/// Whether upper and lower case are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Same,
    Different,
}

/// A pattern in the language of regular expressions, for bytes.
pub(super) fn pattern(text: &[u8], case: Case) -> Option<Regex> {
    RegexBuilder::new(std::str::from_utf8(text).ok()?)
        .unicode(false)
        .multi_line(true)
        .case_insensitive(case == Case::Same)
        .build()
        .ok()
}

impl Choice {
    /// Whether the message itself has to be read to say.
    pub(super) fn wants_parts(&self) -> bool {
        matches!(self, Self::Subject(_) | Self::Header(_) | Self::Body(_))
    }

    pub(super) fn means(&self, id: QueueId, facts: &Facts, parts: &Parts) -> bool {
        match self {
            Self::All => true,
            Self::Number(number) => *number == id,
            Self::Sender(sender) => *sender == facts.sender,
            Self::SenderLike(pattern) => pattern.is_match(&facts.sender),
            Self::Subject(text) => parts.field(b"Subject").is_some_and(|s| contains(s, text)),
            Self::Header(pattern) => parts.fields.iter().any(|field| pattern.is_match(field)),
            Self::Body(pattern) => pattern.is_match(&parts.body),
            Self::Recipient(pattern) => {
                let left = facts.recipients.iter().filter(|recipient| !recipient.done);
                left.into_iter().any(|recipient| pattern.is_match(&recipient.address))
            }
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::held::{Recipient, Stage};

    fn facts() -> Facts {
        let recipient = |address: &str, done| Recipient {
            channel: None,
            done,
            address: address.as_bytes().to_vec(),
        };
        Facts {
            stage: Stage::Queued,
            sender: b"joe@here".to_vec(),
            recipients: vec![recipient("a@done", true), recipient("b@left", false)],
            is_bouncing: false,
        }
    }

    fn means(choice: &Choice) -> bool {
        let fields = vec![b"Subject: Buy now".to_vec(), b"X-Spam: yes".to_vec()];
        let parts = Parts { fields, body: b"first\nSecond \xff line\n".to_vec() };
        choice.means(QueueId::new(7), &facts(), &parts)
    }

    #[test]
    fn each_choice_looks_at_its_part_of_a_message() {
        let like = |text: &str, case| pattern(text.as_bytes(), case).unwrap();
        assert!(means(&Choice::All));
        assert!(
            means(&Choice::Number(QueueId::new(7))) && !means(&Choice::Number(QueueId::new(8)))
        );
        assert!(means(&Choice::Sender(b"joe@here".to_vec())));
        assert!(!means(&Choice::Sender(b"joe".to_vec())));
        assert!(means(&Choice::SenderLike(like("^joe@", Case::Different))));
        assert!(
            means(&Choice::Subject(b"Buy".to_vec())) && !means(&Choice::Subject(b"buy".to_vec()))
        );
        assert!(means(&Choice::Header(like("^x-spam: YES$", Case::Same))));
        assert!(!means(&Choice::Header(like("^x-spam: YES$", Case::Different))));
        assert!(means(&Choice::Body(like("^second .* line$", Case::Same))));
        assert!(means(&Choice::Recipient(like("@left$", Case::Different))));
        assert!(!means(&Choice::Recipient(like("@done$", Case::Different))));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in [&b"("[..], b"\xff", b"(?:a{1000}){1000}{1000}"] {
            assert!(pattern(text, Case::Same).is_none());
        }
    }
}
