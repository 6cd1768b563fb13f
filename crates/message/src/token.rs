//! The tokens of structured fields: RFC 5322 §3.2, as liberally as qmail reads them.

mod print;
mod scan;

pub use print::{print, unquote};
pub use scan::scan;

/// A token. Texts are without their quotes, brackets, parentheses and backslashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A word of printable ASCII without specials.
    Atom(Vec<u8>),
    /// A quoted string, or a word that has to be printed as one.
    Quoted(Vec<u8>),
    /// `[...]`
    Literal(Vec<u8>),
    /// `(...)`
    Comment(Vec<u8>),
    /// `.`
    Dot,
    /// `,`
    Comma,
    /// `@`
    At,
    /// `<`
    Left,
    /// `>`
    Right,
    /// `:`
    Colon,
    /// `;`
    Semicolon,
}

/// Bytes that are not a sequence of tokens, or tokens that are not a list of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unparsable;

impl std::fmt::Display for Unparsable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("unable to parse")
    }
}

impl std::error::Error for Unparsable {}

impl Token {
    /// An atom if `text` can be one, else a quoted string.
    pub fn word(text: Vec<u8>) -> Self {
        let is_plain = |byte: &u8| byte.is_ascii_graphic() && !b"()[]<>@,;:.\"\\".contains(byte);
        if text.iter().all(is_plain) { Self::Atom(text) } else { Self::Quoted(text) }
    }

    /// Whether it has a text, rather than being a single character.
    pub const fn has_text(&self) -> bool {
        matches!(self, Self::Atom(_) | Self::Quoted(_) | Self::Literal(_) | Self::Comment(_))
    }

    /// The character that it is, if it is one.
    const fn single(&self) -> Option<u8> {
        match self {
            Self::Atom(_) | Self::Quoted(_) | Self::Literal(_) | Self::Comment(_) => None,
            Self::Dot => Some(b'.'),
            Self::Comma => Some(b','),
            Self::At => Some(b'@'),
            Self::Left => Some(b'<'),
            Self::Right => Some(b'>'),
            Self::Colon => Some(b':'),
            Self::Semicolon => Some(b';'),
        }
    }
}
