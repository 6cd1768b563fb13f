//! How much a maildir may hold, and how much it does: numbers only.

use std::fmt;

/// What a maildir may hold. Zero is written for "as much as there is room for", and so is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all messages.
    pub bytes: Option<u64>,
    /// Messages.
    pub messages: Option<u64>,
}

impl Limits {
    /// Reads `10000000S,1000C`, and what vpopmail's users have: `NOQUOTA`, `10MB`, `1000KB`, a number
    /// alone. A letter that is neither S nor C is left out, as the specification has it.
    ///
    /// `None` for what is no quota at all.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii();
        let mut limits = Self::default();
        if text.is_empty() || text.eq_ignore_ascii_case(b"NOQUOTA") {
            return Some(limits);
        }
        for part in text.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            let digits = part.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (number, letters) = part.split_at(digits);
            let number = crate::control::leading_number(number)?;
            let (factor, letter) = unit(&letters.to_ascii_uppercase());
            let limit = Some(number.saturating_mul(factor)).filter(|limit| *limit > 0);
            match letter {
                Some(b'S') => limits.bytes = limit,
                Some(b'C') => limits.messages = limit,
                _ => {}
            }
        }
        Some(limits)
    }

    /// Whether there is no limit.
    pub fn is_unlimited(self) -> bool {
        self == Self::default()
    }

    /// Whether `more` fits beside what is there.
    pub fn admit(self, used: Usage, more: Usage) -> bool {
        let Usage { bytes, messages } = used.plus(more);
        let fits = |limit: Option<u64>, sum: i64| {
            limit.is_none_or(|limit| u64::try_from(sum).is_ok_and(|sum| sum <= limit) || sum < 0)
        };
        fits(self.bytes, bytes) && fits(self.messages, messages)
    }

    /// How full it is, in percent, by what there is more of.
    pub fn percent(self, used: Usage) -> u64 {
        let share = |limit: Option<u64>, sum: i64| {
            let (limit, sum) = (u128::from(limit?), u128::try_from(sum).unwrap_or(0));
            Some(u64::try_from(sum.saturating_mul(100) / limit).unwrap_or(u64::MAX))
        };
        share(self.bytes, used.bytes).max(share(self.messages, used.messages)).unwrap_or(0)
    }
}

/// What the letters behind a number say: a factor, and what is counted.
fn unit(letters: &[u8]) -> (u64, Option<u8>) {
    let (factor, rest) = match letters.split_first() {
        Some((b'K', rest)) => (1 << 10, rest),
        Some((b'M', rest)) => (1 << 20, rest),
        Some((b'G', rest)) => (1 << 30, rest),
        _ => (1, letters),
    };
    match rest.strip_prefix(b"B").unwrap_or(rest) {
        b"" | b"S" => (factor, Some(b'S')),
        b"C" => (factor, Some(b'C')),
        _ => (factor, None),
    }
}

/// As in the first line of `maildirsize`.
impl fmt::Display for Limits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.bytes.map(|bytes| format!("{bytes}S"));
        let messages = self.messages.map(|messages| format!("{messages}C"));
        let parts: Vec<String> = bytes.into_iter().chain(messages).collect();
        formatter.write_str(if parts.is_empty() { "0S" } else { "" })?;
        formatter.write_str(&parts.join(","))
    }
}

/// What is in a maildir, or what is added to it. Sums of damaged files may be below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of all messages.
    pub bytes: i64,
    /// Messages.
    pub messages: i64,
}

impl Usage {
    /// One message of so many bytes.
    pub fn message(bytes: u64) -> Self {
        Self { bytes: i64::try_from(bytes).unwrap_or(i64::MAX), messages: 1 }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            messages: self.messages.saturating_add(other.messages),
        }
    }

    /// The same, taken away.
    #[must_use]
    pub fn removed(self) -> Self {
        Self { bytes: self.bytes.saturating_neg(), messages: self.messages.saturating_neg() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(bytes: u64, messages: u64) -> Limits {
        let limit = |number| Some(number).filter(|number| *number > 0);
        Limits { bytes: limit(bytes), messages: limit(messages) }
    }

    #[test]
    fn every_way_to_write_a_quota_is_understood() {
        for (text, expected) in [
            ("10000000S,1000C", limits(10_000_000, 1000)),
            ("1000C", limits(0, 1000)),
            ("5000", limits(5000, 0)),
            ("1MB", limits(1_048_576, 0)),
            ("1000KB", limits(1_024_000, 0)),
            ("2g", limits(2_147_483_648, 0)),
            ("10ms, 5c ", limits(10_485_760, 5)),
            ("0S", Limits::default()),
            ("0S,7C", limits(0, 7)),
            ("NOQUOTA", Limits::default()),
            (" \n", Limits::default()),
            ("10S,99X", limits(10, 0)),
            ("99999999999999999999999S", limits(u64::MAX, 0)),
        ] {
            assert_eq!(Limits::parse(text.as_bytes()), Some(expected), "{text}");
        }
        for text in ["S", "lots", "10S,", ",", "-5S", "\0\0"] {
            assert_eq!(Limits::parse(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for one in [limits(1, 2), limits(3, 0), limits(0, 4), Limits::default()] {
            assert_eq!(Limits::parse(one.to_string().as_bytes()), Some(one));
        }
        assert_eq!(limits(10, 20).to_string(), "10S,20C");
    }

    #[test]
    fn a_message_fits_up_to_the_last_byte() {
        let used = Usage { bytes: 2700, messages: 3 };
        assert!(limits(3600, 0).admit(used, Usage::message(900)));
        assert!(!limits(3599, 0).admit(used, Usage::message(900)));
        assert!(limits(0, 4).admit(used, Usage::message(900)));
        assert!(!limits(9999, 3).admit(used, Usage::message(900)));
        assert!(Limits::default().admit(used, Usage::message(u64::MAX)));
        assert!(!limits(9, 0).admit(Usage::default(), Usage::message(u64::MAX)));
    }

    #[test]
    fn it_is_as_full_as_what_there_is_more_of() {
        let used = Usage { bytes: 899, messages: 5 };
        assert_eq!(limits(1000, 10).percent(used), 89);
        assert_eq!(limits(1000, 5).percent(used), 100);
        assert_eq!(Limits::default().percent(used), 0);
        assert_eq!(limits(1, 0).percent(Usage { bytes: i64::MAX, messages: 0 }), u64::MAX);
        assert_eq!(limits(0, 1).percent(Usage { bytes: 0, messages: -1 }), 0);
    }
}
