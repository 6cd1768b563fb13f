//! From bytes to tokens.

use super::{Token, Unparsable};

/// The tokens of `input`: an address, or a field that was [unfolded](crate::field::unfold).
pub fn scan(input: &[u8]) -> Result<Vec<Token>, Unparsable> {
    let mut input = Input(input);
    let mut tokens = Vec::new();
    while let Some(byte) = input.next() {
        let token = match byte {
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            b'.' => Token::Dot,
            b',' => Token::Comma,
            b'@' => Token::At,
            b'<' => Token::Left,
            b'>' => Token::Right,
            b':' => Token::Colon,
            b';' => Token::Semicolon,
            b'(' => Token::Comment(input.comment()?),
            b'"' => Token::Quoted(input.until(b'"')?),
            b'[' => Token::Literal(input.until(b']')?),
            b')' | b']' => return Err(Unparsable),
            first => Token::word(input.word(first)?),
        };
        tokens.push(token);
    }
    Ok(tokens)
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// The text of a comment, without the parentheses of comments inside it.
    fn comment(&mut self) -> Result<Vec<u8>, Unparsable> {
        let mut text = Vec::new();
        let mut level = 1_usize;
        loop {
            match self.next().ok_or(Unparsable)? {
                b'(' => level += 1,
                b')' if level == 1 => return Ok(text),
                b')' => level -= 1,
                byte => text.push(self.unescaped(byte)?),
            }
        }
    }

    fn until(&mut self, end: u8) -> Result<Vec<u8>, Unparsable> {
        let mut text = Vec::new();
        loop {
            match self.next().ok_or(Unparsable)? {
                byte if byte == end => return Ok(text),
                byte => text.push(self.unescaped(byte)?),
            }
        }
    }

    /// A word. Parentheses and brackets that close nothing belong to it.
    fn word(&mut self, first: u8) -> Result<Vec<u8>, Unparsable> {
        let mut text = vec![self.unescaped(first)?];
        while let Some(byte) = self.0.first().filter(|byte| !ends_word(**byte)) {
            let byte = *byte;
            self.next();
            text.push(self.unescaped(byte)?);
        }
        Ok(text)
    }

    /// What a byte stands for: a backslash for the byte behind it. One with nothing behind it would
    /// swallow whatever comes next when the field is printed.
    fn unescaped(&mut self, byte: u8) -> Result<u8, Unparsable> {
        if byte == b'\\' { self.next().ok_or(Unparsable) } else { Ok(byte) }
    }
}

const fn ends_word(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t'
            | b'\r'
            | b'\n'
            | b'('
            | b'['
            | b'"'
            | b'<'
            | b'>'
            | b';'
            | b':'
            | b'@'
            | b','
            | b'.'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(text: &str) -> Token {
        Token::Atom(text.into())
    }

    fn quoted(text: &str) -> Token {
        Token::Quoted(text.into())
    }

    #[test]
    fn specials_separate_words() {
        let expected = vec![atom("a"), Token::Dot, atom("b"), Token::At, Token::Left, atom("c")];
        assert_eq!(scan(b"a .b@\t<c\r\n").unwrap(), expected);
        assert_eq!(
            scan(b",>:;").unwrap(),
            [Token::Comma, Token::Right, Token::Colon, Token::Semicolon]
        );
    }

    #[test]
    fn comments_nest_and_strings_and_literals_do_not() {
        assert_eq!(scan(b"(x (y\\)) z)").unwrap(), [Token::Comment(b"x y) z".to_vec())]);
        assert_eq!(scan(b"\"a(\\\"\"").unwrap(), [quoted("a(\"")]);
        assert_eq!(scan(b"[a[\\]]").unwrap(), [Token::Literal(b"a[]".to_vec())]);
    }

    #[test]
    fn what_is_not_closed_is_an_error() {
        for bad in ["(a", "(a(b)", "\"a", "[a", "(a\\", "\"a\\", "[a\\", ")", "]", " ]"] {
            assert_eq!(scan(bad.as_bytes()), Err(Unparsable), "{bad}");
        }
    }

    #[test]
    fn a_backslash_with_nothing_behind_it_is_an_error() {
        assert_eq!(scan(b"To: a\\"), Err(Unparsable));
        assert_eq!(scan(b"\\"), Err(Unparsable));
    }

    #[test]
    fn words_that_are_no_atoms_are_quoted_strings() {
        assert_eq!(scan(b"a)b").unwrap(), [quoted("a)b")]);
        assert_eq!(scan(b"x]y").unwrap(), [quoted("x]y")]);
        assert_eq!(scan(b"J\xf6rg").unwrap(), [Token::Quoted(b"J\xf6rg".to_vec())]);
        assert_eq!(scan(b"a\\,b\\ c").unwrap(), [quoted("a,b c")]);
        assert_eq!(scan(b"a\\\\b").unwrap(), [quoted("a\\b")]);
        assert_eq!(scan(b"\\a\\b").unwrap(), [atom("ab")]);
        assert_eq!(scan(b"a\x01").unwrap(), [quoted("a\x01")]);
    }
}
