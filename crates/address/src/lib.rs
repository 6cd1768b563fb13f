//! Mail addresses, as bytes: what everybody above agrees on.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod quote;

pub use quote::{needs_quoting, quote, quote_local};

/// The longest address that qmail-queue takes, in bytes.
pub const MAXIMUM_LENGTH: usize = 1002;

/// A mail address as it travels in an envelope: unquoted, without NUL, at most
/// [`MAXIMUM_LENGTH`] bytes. It may be empty, and its host may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(Vec<u8>);

/// Why bytes are not an [`Address`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Longer than [`MAXIMUM_LENGTH`].
    TooLong,
    /// It has a NUL, which ends an address everywhere in qmail.
    Nul,
}

impl std::fmt::Display for AddressError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::TooLong => "address too long",
            Self::Nul => "address has a NUL",
        })
    }
}

impl std::error::Error for AddressError {}

impl TryFrom<Vec<u8>> for Address {
    type Error = AddressError;

    fn try_from(bytes: Vec<u8>) -> Result<Self, AddressError> {
        if bytes.len() > MAXIMUM_LENGTH {
            return Err(AddressError::TooLong);
        }
        if bytes.contains(&0) {
            return Err(AddressError::Nul);
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<&[u8]> for Address {
    type Error = AddressError;

    fn try_from(bytes: &[u8]) -> Result<Self, AddressError> {
        Self::try_from(bytes.to_vec())
    }
}

impl Address {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, given away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Whether it has a CR or LF, with which it could break a line of a protocol or a header.
    pub fn breaks_lines(&self) -> bool {
        breaks_lines(&self.0)
    }
}

impl AsRef<[u8]> for Address {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Whether `bytes` have a CR, LF or NUL, with which they could break a line of a protocol.
pub fn breaks_lines(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
}

/// Local part and host: what stands before and after the last `@`; `None` without one.
pub fn split(address: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = address.iter().rposition(|byte| *byte == b'@')?;
    Some((address.get(..at)?, address.get(at + 1..)?))
}

/// What stands after the last `@`; `None` without one.
pub fn host(address: &[u8]) -> Option<&[u8]> {
    split(address).map(|(_, host)| host)
}

/// A host, and then each of its suffixes that begin with a dot, longest first: the order in which
/// control files are asked (`a.b.c`, `.b.c`, `.c`).
pub fn host_and_suffixes(host: &[u8]) -> impl Iterator<Item = &[u8]> {
    let dots = host.iter().enumerate().filter(|(at, byte)| **byte == b'.' && *at > 0);
    let suffixes = dots.filter_map(|(at, _)| host.get(at..));
    std::iter::once(host).chain(suffixes)
}

/// Whether a name, of a host for instance, has nothing but letters, digits, dots, hyphens and underscores, and no
/// dot in front or beside another: one that comes from outside may then be the name of a file, which
/// leads nowhere else, or stand in a line.
pub fn is_plain_name(name: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let has_empty_label = name.starts_with(b".") || name.windows(2).any(|pair| pair == b"..");
    !name.is_empty() && name.iter().all(is_plain) && !has_empty_label
}

/// The sender of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvelopeSender {
    /// `<>`: a bounce, which may bounce only to the postmaster.
    Bounce,
    /// `#@[]`: a double bounce, which may not bounce.
    DoubleBounce,
    /// `prefix@host-@[]`: each recipient gets a sender of his own (VERP).
    PerRecipient {
        /// What stands before the last `@`.
        prefix: Vec<u8>,
        /// What stands after it.
        host: Vec<u8>,
    },
    /// Anybody else.
    Ordinary(Vec<u8>),
}

impl EnvelopeSender {
    /// Tells the four kinds apart.
    pub fn parse(sender: &[u8]) -> Self {
        match sender {
            b"" => Self::Bounce,
            b"#@[]" => Self::DoubleBounce,
            _ => match sender.strip_suffix(b"-@[]").and_then(split) {
                Some((prefix, host)) => {
                    Self::PerRecipient { prefix: prefix.to_vec(), host: host.to_vec() }
                }
                None => Self::Ordinary(sender.to_vec()),
            },
        }
    }

    /// The address that a delivery to `recipient` shows as its sender.
    pub fn towards(&self, recipient: &[u8]) -> Vec<u8> {
        match (self, split(recipient)) {
            (Self::PerRecipient { prefix, host }, Some((local, domain))) => {
                [prefix, local, b"=", domain, b"@", host].concat()
            }
            _ => self.to_bytes(),
        }
    }

    /// The address that a bounce goes to: a VERP sender without its suffix.
    pub fn bounce_address(&self) -> Vec<u8> {
        match self {
            Self::PerRecipient { prefix, host } => [prefix, b"@".as_slice(), host].concat(),
            _ => self.to_bytes(),
        }
    }

    /// As it stands in the envelope.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Bounce => Vec::new(),
            Self::DoubleBounce => b"#@[]".to_vec(),
            Self::PerRecipient { prefix, host } => {
                [prefix, b"@".as_slice(), host, b"-@[]"].concat()
            }
            Self::Ordinary(sender) => sender.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_leads_to_no_other_file() {
        for name in ["a", "Mail.Example.ORG", "a_b-1.example", "a."] {
            assert!(is_plain_name(name.as_bytes()), "{name}");
        }
        let other =
            ["", ".", "..", "../x", ".x", "a/b", "a..b", "a\0b", "/etc", "a b", "a\n", "\u{e9}"];
        for name in other {
            assert!(!is_plain_name(name.as_bytes()), "{name:?}");
        }
    }

    #[test]
    fn addresses_up_to_1002_bytes_are_taken() {
        assert!(Address::try_from(vec![b'a'; 1002]).is_ok());
        assert_eq!(Address::try_from(vec![b'a'; 1003]), Err(AddressError::TooLong));
        assert_eq!(Address::try_from(b"a\0b".as_slice()), Err(AddressError::Nul));
    }

    #[test]
    fn the_last_at_sign_splits() {
        assert_eq!(split(b"a@b@c"), Some((b"a@b".as_slice(), b"c".as_slice())));
        assert_eq!(split(b"a"), None);
        assert_eq!(host(b"a@"), Some(b"".as_slice()));
    }

    #[test]
    fn suffixes_begin_with_a_dot_longest_first() {
        let all: Vec<&[u8]> = host_and_suffixes(b"a.b.c").collect();
        assert_eq!(all, [b"a.b.c".as_slice(), b".b.c", b".c"]);
        let all: Vec<&[u8]> = host_and_suffixes(b".b").collect();
        assert_eq!(all, [b".b".as_slice()]);
    }

    #[test]
    fn verp_names_the_recipient_in_the_sender() {
        let sender = EnvelopeSender::parse(b"owner-@far.example-@[]");
        assert_eq!(sender.towards(b"fail@test.example"), b"owner-fail=test.example@far.example");
        assert_eq!(sender.towards(b"nohost"), b"owner-@far.example-@[]");
        assert_eq!(sender.bounce_address(), b"owner-@far.example");
        assert_eq!(EnvelopeSender::parse(b"-@[]"), EnvelopeSender::Ordinary(b"-@[]".to_vec()));
        assert_eq!(EnvelopeSender::parse(b"#@[]").towards(b"a@b"), b"#@[]");
    }
}
