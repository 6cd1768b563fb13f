//! Completing addresses as people type them: without a host, or with half of one.

use crate::token::{Token, Unparsable, scan};

/// What is added to incomplete addresses.
#[derive(Clone, Debug)]
pub struct Completion {
    /// `@` and the host of addresses that have none.
    host: Vec<Token>,
    /// `.` and what replaces a `+` at the end of a host.
    plus_domain: Vec<Token>,
    /// `.` and what is added to a host without dots.
    domain: Vec<Token>,
}

/// A default that is no host: the `@` or `.` that was put before it, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadDefault(pub Vec<u8>);

impl std::fmt::Display for BadDefault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "unable to parse {}", String::from_utf8_lossy(&self.0))
    }
}

impl std::error::Error for BadDefault {}

impl Completion {
    /// With the contents of the controls `defaulthost`, `plusdomain` and `defaultdomain`.
    pub fn new(
        default_host: &[u8],
        plus_domain: &[u8],
        default_domain: &[u8],
    ) -> Result<Self, BadDefault> {
        Ok(Self {
            host: default_tokens(b"@", default_host)?,
            plus_domain: default_tokens(b".", plus_domain)?,
            domain: default_tokens(b".", default_domain)?,
        })
    }

    /// The address in full. An empty one stays empty, and so does one that ends in `@[]`. One with
    /// a line end or NUL in it is refused: no envelope could carry it.
    pub fn complete(&self, mut address: Vec<Token>) -> Result<Vec<Token>, Unparsable> {
        if address.iter().any(breaks_lines) {
            return Err(Unparsable);
        }
        if has_empty_literal_host(&address) {
            return Ok(address);
        }
        drop_route(&mut address);
        address.pop_if(|token| *token == Token::Dot);
        address.pop_if(|token| *token == Token::At);
        if address.is_empty() {
            return Ok(address);
        }
        if !address.contains(&Token::At) {
            address.extend_from_slice(&self.host);
        }
        if drop_plus(&mut address) {
            address.extend_from_slice(&self.plus_domain);
        }
        if !has_full_host(&address) {
            address.extend_from_slice(&self.domain);
        }
        Ok(address)
    }
}

fn default_tokens(before: &[u8], text: &[u8]) -> Result<Vec<Token>, BadDefault> {
    let text = [before, text].concat();
    match scan(&text) {
        Ok(tokens) if !qmail_address::breaks_lines(&text) => Ok(tokens),
        _ => Err(BadDefault(text)),
    }
}

/// Comments do not count: they do not get into an envelope.
fn breaks_lines(token: &Token) -> bool {
    match token {
        Token::Atom(text) | Token::Quoted(text) | Token::Literal(text) => {
            qmail_address::breaks_lines(text)
        }
        _ => false,
    }
}

fn has_empty_literal_host(address: &[Token]) -> bool {
    matches!(address, [.., Token::At, Token::Literal(text)] if text.is_empty())
}

/// RFC 5321 §4.1.1.3: a source route (`@a,@b:`) is to be ignored.
fn drop_route(address: &mut Vec<Token>) {
    if address.first() == Some(&Token::At) {
        let colon = address.iter().position(|token| *token == Token::Colon);
        address.drain(..colon.map_or(address.len(), |colon| colon + 1));
    }
}

fn drop_plus(address: &mut [Token]) -> bool {
    match address.last_mut() {
        Some(Token::Atom(text)) => text.pop_if(|byte| *byte == b'+').is_some(),
        _ => false,
    }
}

/// Whether the host has a dot or is a literal.
fn has_full_host(address: &[Token]) -> bool {
    let host = address.iter().rev().take_while(|token| **token != Token::At);
    let mut host = host.filter(|token| matches!(token, Token::Dot | Token::Literal(_)));
    host.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{print, unquote};

    fn completion() -> Completion {
        Completion::new(b"host", b"plus.example", b"domain.example").unwrap()
    }

    fn complete(address: &str) -> String {
        let tokens = completion().complete(scan(address.as_bytes()).unwrap()).unwrap();
        String::from_utf8(print(&tokens)).unwrap().trim_end().to_owned()
    }

    #[test]
    fn an_address_without_host_gets_the_default_which_is_completed_too() {
        assert_eq!(complete("joe"), "joe@host.domain.example");
        let completion = Completion::new(b"h+", b"plus.example", b"domain.example").unwrap();
        let address = completion.complete(scan(b"joe").unwrap()).unwrap();
        assert_eq!(unquote(&address), b"joe@h.plus.example");
    }

    #[test]
    fn a_host_without_dots_gets_the_default_domain() {
        assert_eq!(complete("a@b@c"), "a@b@c.domain.example");
        assert_eq!(complete("a.b@c"), "a.b@c.domain.example");
        assert_eq!(complete("a@b.c"), "a@b.c");
        assert_eq!(complete("a@[1.2]"), "a@[1.2]");
    }

    #[test]
    fn a_plus_at_the_end_becomes_the_plus_domain() {
        assert_eq!(complete("a+@b+"), "a+@b.plus.example");
        assert_eq!(complete("a+"), "a+@host.domain.example");
        assert_eq!(complete("a@b.+"), "a@b..plus.example");
    }

    #[test]
    fn a_trailing_dot_and_then_at_sign_are_dropped() {
        assert_eq!(complete("a@b."), "a@b.domain.example");
        assert_eq!(complete("a@"), "a@host.domain.example");
        assert_eq!(complete("a@."), "a@host.domain.example");
        assert_eq!(complete("."), "");
        assert_eq!(complete("@."), "");
    }

    #[test]
    fn routes_are_dropped() {
        assert_eq!(complete("@x,@y:joe@h.i"), "joe@h.i");
        assert_eq!(complete("@x:"), "");
        assert_eq!(complete("@x"), "");
    }

    #[test]
    fn empty_addresses_and_empty_literals_stay() {
        assert_eq!(complete(""), "");
        assert_eq!(complete("joe@[]"), "joe@[]");
        assert_eq!(complete("#@[]"), "#@[]");
    }

    #[test]
    fn line_ends_and_nul_are_refused() {
        for bad in ["\"a\rb\"@c", "\"a\0b\"@c", "a@[b\nc]"] {
            assert!(completion().complete(scan(bad.as_bytes()).unwrap()).is_err());
        }
        let bad = Completion::new(b"h\nBcc", b"p", b"d").unwrap_err();
        assert_eq!(bad, BadDefault(b"@h\nBcc".to_vec()));
        assert!(Completion::new(b"h", b"p", b"(d").is_err());
    }
}
