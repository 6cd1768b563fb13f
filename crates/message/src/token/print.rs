//! From tokens to bytes.

use super::Token;

/// A line is not made longer than this by a further address.
const LINE_LENGTH: usize = 78;

/// The tokens as a field, with its LF, folded behind commas.
pub fn print(tokens: &[Token]) -> Vec<u8> {
    let mut printed = Vec::new();
    let mut line_length = 0;
    let is_comma = |token: &Token| *token == Token::Comma;
    for (number, piece) in tokens.split_inclusive(is_comma).enumerate() {
        let piece = print_piece(piece);
        let longer = line_length + 1 + piece.len();
        if number == 0 {
            line_length = piece.len();
        } else if longer <= LINE_LENGTH {
            printed.push(b' ');
            line_length = longer;
        } else {
            printed.extend_from_slice(b"\n  ");
            line_length = 2 + piece.len();
        }
        printed.extend_from_slice(&piece);
    }
    printed.push(b'\n');
    printed
}

fn print_piece(tokens: &[Token]) -> Vec<u8> {
    let mut printed = Vec::new();
    let mut last = None;
    for token in tokens {
        if last.is_some_and(|last| needs_space(last, token)) {
            printed.push(b' ');
        }
        print_token(&mut printed, token);
        last = Some(token);
    }
    printed
}

const fn needs_space(left: &Token, right: &Token) -> bool {
    matches!(left, Token::Colon)
        || matches!(right, Token::Left)
        || (left.has_text() && right.has_text())
}

fn print_token(printed: &mut Vec<u8>, token: &Token) {
    let (open, text, close): (&[u8], &[u8], &[u8]) = match token {
        Token::Atom(text) => (b"", text, b""),
        Token::Quoted(text) => (b"\"", text, b"\""),
        Token::Literal(text) => (b"[", text, b"]"),
        Token::Comment(text) => (b"(", text, b")"),
        _ => return printed.extend(token.single()),
    };
    printed.extend_from_slice(open);
    for byte in text {
        match byte {
            // A line end would begin a field of its own. Those of folding are gone already, so this
            // one came out of the environment or was a bare CR.
            b'\r' | b'\n' => printed.push(b' '),
            b'"' | b'[' | b']' | b'(' | b')' | b'\\' => printed.extend_from_slice(&[b'\\', *byte]),
            _ => printed.push(*byte),
        }
    }
    printed.extend_from_slice(close);
}

/// The tokens as an address of an envelope: comments and quotes are gone.
pub fn unquote(tokens: &[Token]) -> Vec<u8> {
    let mut address = Vec::new();
    for token in tokens {
        match token {
            Token::Atom(text) | Token::Quoted(text) => address.extend_from_slice(text),
            Token::Literal(text) => {
                address.push(b'[');
                address.extend_from_slice(text);
                address.push(b']');
            }
            Token::Comment(_) => {}
            _ => address.extend(token.single()),
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::super::scan;
    use super::*;

    fn reprint(field: &str) -> String {
        String::from_utf8(print(&scan(field.as_bytes()).unwrap())).unwrap()
    }

    #[test]
    fn spaces_stand_where_they_help() {
        assert_eq!(reprint("To:a@b,  c d(e)<f . g>;"), "To: a@b, c d (e) <f.g>;\n");
        assert_eq!(reprint("To: \"a\"[b] <>"), "To: \"a\" [b] <>\n");
    }

    #[test]
    fn what_would_end_a_text_is_escaped() {
        assert_eq!(reprint("(a\\(b) \"c\\\"\\\\[\" [d\\]]"), "(a\\(b) \"c\\\"\\\\\\[\" [d\\]]\n");
    }

    #[test]
    fn a_text_never_ends_the_line() {
        let tokens = [Token::Quoted(b"a\r\nBcc: b".to_vec())];
        assert_eq!(print(&tokens), b"\"a  Bcc: b\"\n");
    }

    #[test]
    fn a_line_of_78_characters_is_not_folded_one_of_79_is() {
        let second = format!("{}@h", "b".repeat(78 - "To: a@h, @h".len()));
        let on_one_line = format!("To: a@h, {second}\n");
        assert_eq!((reprint(&on_one_line), on_one_line.len()), (on_one_line.clone(), 79));
        assert_eq!(reprint(&format!("To: a@h, x{second}")), format!("To: a@h,\n  x{second}\n"));
        // The comma counts.
        assert_eq!(reprint(&format!("To: a@h, {second}, c")), format!("To: a@h,\n  {second}, c\n"));
    }

    #[test]
    fn later_lines_count_their_indentation() {
        let long = "x".repeat(80);
        let fits = "b".repeat(78 - "  a, ".len());
        assert_eq!(reprint(&format!("{long}, a, {fits}")), format!("{long},\n  a, {fits}\n"));
        assert_eq!(reprint(&format!("{long}, a, {fits}b")), format!("{long},\n  a,\n  {fits}b\n"));
    }

    #[test]
    fn commas_with_nothing_between_them_stay() {
        assert_eq!(reprint("To: ,,a,,"), "To: , , a, ,\n");
    }

    #[test]
    fn unquoting_keeps_brackets_and_drops_comments() {
        let tokens = scan(b"\"a b\"(c)@[1.2\\]3]").unwrap();
        assert_eq!(unquote(&tokens), b"a b@[1.2]3]");
    }
}
