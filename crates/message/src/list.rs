//! Lists of addresses: the contents of `To`, `From` and their like.

use crate::token::{Token, Unparsable};

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// An address, without the angle brackets that may be around it. It may be empty.
    Address(Vec<Token>),
    /// What stands between addresses: commas, angle brackets, phrases, comments, groups.
    Other(Token),
}

/// Takes a list apart. Missing commas are added; a comment inside an address that has no angle
/// brackets comes out behind it.
///
/// Lists are read from the right: there an angle bracket or a semicolon tells at once what the
/// words before it are.
pub fn parse(tokens: Vec<Token>) -> Result<Vec<Item>, Unparsable> {
    let mut parser = Parser {
        rest: tokens,
        items: Vec::new(),
        address: Vec::new(),
        in_group: false,
        joins: true,
        separated: true,
    };
    while let Some(token) = parser.rest.pop() {
        parser.token(token)?;
    }
    parser.flush();
    parser.items.reverse();
    Ok(parser.items)
}

struct Parser {
    /// What is still to be read, from its end.
    rest: Vec<Token>,
    /// What was read, last first.
    items: Vec<Item>,
    /// An address without angle brackets that is being read, last token first.
    address: Vec<Token>,
    in_group: bool,
    /// Whether a word may be put before `address`; a word before a word is another address.
    joins: bool,
    /// Whether an address may come next without a comma.
    separated: bool,
}

impl Parser {
    fn token(&mut self, token: Token) -> Result<(), Unparsable> {
        match token {
            Token::Semicolon => self.end_of_group(),
            Token::Colon => self.start_of_group(),
            Token::Right => self.in_angle_brackets(),
            Token::Comma => {
                self.flush();
                self.comma();
                Ok(())
            }
            Token::Comment(_) => {
                self.other(token);
                Ok(())
            }
            Token::Atom(_) | Token::Quoted(_) | Token::Literal(_) => {
                if !self.joins {
                    self.separate();
                }
                self.extend_address(token, false);
                Ok(())
            }
            Token::Dot | Token::At | Token::Left => {
                self.extend_address(token, true);
                Ok(())
            }
        }
    }

    fn end_of_group(&mut self) -> Result<(), Unparsable> {
        self.separate();
        if self.in_group {
            return Err(Unparsable);
        }
        self.in_group = true;
        self.joins = true;
        self.other(Token::Semicolon);
        Ok(())
    }

    fn start_of_group(&mut self) -> Result<(), Unparsable> {
        self.flush();
        if !self.in_group {
            return Err(Unparsable);
        }
        self.in_group = false;
        self.other(Token::Colon);
        self.others_while(|token| *token != Token::Comma);
        if self.rest.pop().is_some() {
            self.comma();
        }
        self.joins = true;
        Ok(())
    }

    fn in_angle_brackets(&mut self) -> Result<(), Unparsable> {
        self.separate();
        let left = self.rest.iter().rposition(|token| *token == Token::Left).ok_or(Unparsable)?;
        let address = self.rest.split_off(left + 1);
        self.rest.pop();
        self.other(Token::Right);
        self.items.push(Item::Address(address));
        self.other(Token::Left);
        self.others_while(|token| {
            matches!(token, Token::At | Token::Dot | Token::Atom(_) | Token::Quoted(_))
                || matches!(token, Token::Comment(_))
        });
        self.joins = false;
        self.separated = false;
        Ok(())
    }

    fn extend_address(&mut self, token: Token, joins: bool) {
        if self.address.is_empty() && !self.separated {
            self.comma();
        }
        self.address.push(token);
        self.joins = joins;
    }

    fn flush(&mut self) {
        if !self.address.is_empty() {
            let mut address = std::mem::take(&mut self.address);
            address.reverse();
            self.items.push(Item::Address(address));
            self.separated = false;
        }
    }

    fn separate(&mut self) {
        self.flush();
        if !self.separated {
            self.comma();
        }
    }

    fn comma(&mut self) {
        self.other(Token::Comma);
        self.joins = true;
        self.separated = true;
    }

    fn other(&mut self, token: Token) {
        self.items.push(Item::Other(token));
    }

    fn others_while(&mut self, belongs: impl Fn(&Token) -> bool) {
        while let Some(token) = self.rest.pop_if(|token| belongs(token)) {
            self.other(token);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{print, scan};

    /// The list as it is printed, each address in braces.
    fn marked(list: &str) -> String {
        let mut marked = String::new();
        for item in parse(scan(list.as_bytes()).unwrap()).unwrap() {
            let (tokens, marks) = match item {
                Item::Address(tokens) => (tokens, ("{", "}")),
                Item::Other(token) => (vec![token], ("", "")),
            };
            let text = String::from_utf8(print(&tokens)).unwrap();
            marked.extend([marks.0, text.trim_end(), marks.1]);
        }
        marked
    }

    fn is_refused(list: &str) -> bool {
        parse(scan(list.as_bytes()).unwrap()).is_err()
    }

    #[test]
    fn words_are_addresses_of_their_own_unless_joined() {
        assert_eq!(marked("a b"), "{a},{b}");
        assert_eq!(marked("a . b @ c . d"), "{a.b@c.d}");
        assert_eq!(marked("\"a\" [b]"), "{\"a\"},{[b]}");
        assert_eq!(marked("a@b@c.d"), "{a@b@c.d}");
    }

    #[test]
    fn comments_are_moved_behind_their_address() {
        assert_eq!(marked("(x) a (y) @ b (z)"), "{a@b}(x)(y)(z)");
        assert_eq!(marked("(x)"), "(x)");
    }

    #[test]
    fn angle_brackets_hold_anything_and_nothing() {
        assert_eq!(marked("<@x,@y:a@b>"), "<{@x, @y: a@b}>");
        assert_eq!(marked("<>"), "<{}>");
        assert_eq!(marked("Joe Q. \"P\" (c) <a (d) @b>"), "JoeQ.\"P\"(c)<{a (d)@b}>");
    }

    #[test]
    fn two_addresses_never_stand_without_a_comma() {
        assert_eq!(marked("foo <a@b> bar <c@d>"), "foo<{a@b}>,bar<{c@d}>");
        assert_eq!(marked("<a@b> c"), "<{a@b}>,{c}");
        assert_eq!(marked("[x] <a@b>"), "{[x]},<{a@b}>");
        assert_eq!(marked("<> <>"), "<{}>,<{}>");
        assert_eq!(marked("a; <b@c>"), "{a};,<{b@c}>");
        assert_eq!(marked("< <a@b>"), "{<},<{a@b}>");
    }

    #[test]
    fn groups_have_a_name_and_an_end() {
        assert_eq!(marked("g h: a, b;, c"), "gh:{a},{b};,{c}");
        assert_eq!(marked("g: <a@b>;"), "g:<{a@b}>;");
        assert_eq!(marked("x, g:;"), "{x},g:;");
        assert_eq!(marked("a;b"), "{a};,{b}");
    }

    #[test]
    fn brackets_and_groups_out_of_place_are_refused() {
        for bad in ["a>", "g: a", "a;b;", "g: a; b;"] {
            assert!(is_refused(bad), "{bad}");
        }
    }

    #[test]
    fn an_angle_bracket_that_is_not_closed_ends_up_in_the_address() {
        assert_eq!(marked("<a@b"), "{<a@b}");
    }
}
