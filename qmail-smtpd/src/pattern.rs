//! Lines of lists that stand for many names: POSIX extended regular expressions, and wildmat.

mod ere;
mod simple;
mod wildmat;

use regex::bytes::{Regex, RegexBuilder};

pub(crate) use wildmat::wildmat;

use simple::Simple;

/// Bytes that a compiled expression may take: one line of a list must not take all the memory.
const LARGEST_EXPRESSION: usize = 262_144;

/// A POSIX extended regular expression: found anywhere in a text, in any case.
#[derive(Debug)]
pub(crate) struct Expression(Form);

#[derive(Debug)]
enum Form {
    /// What most lines are; nothing is compiled.
    Simple(Simple),
    Compiled(Regex),
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with it, in a few words.
    pub(crate) fn new(expression: &[u8]) -> Result<Self, &'static str> {
        if let Some(simple) = Simple::new(expression) {
            return Ok(Self(Form::Simple(simple)));
        }
        let translated = ere::translate(expression)?;
        let compiled = RegexBuilder::new(&translated)
            .unicode(false)
            .case_insensitive(true)
            .dot_matches_new_line(true)
            .size_limit(LARGEST_EXPRESSION)
            .build();
        match compiled {
            Ok(regex) => Ok(Self(Form::Compiled(regex))),
            Err(regex::Error::CompiledTooBig(_)) => Err("Regular expression too big"),
            Err(_) => Err("Invalid regular expression"),
        }
    }

    /// Whether it is found in `text`. The time this takes is linear in the length of the text.
    pub(crate) fn is_in(&self, text: &[u8]) -> bool {
        match &self.0 {
            Form::Simple(simple) => simple.is_in(text),
            Form::Compiled(regex) => regex.is_match(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, hits: &[&str], misses: &[&str]) {
        let compiled = Expression::new(expression.as_bytes())
            .unwrap_or_else(|error| panic!("{expression}: {error}"));
        for text in hits {
            assert!(compiled.is_in(text.as_bytes()), "{expression} is in {text}");
        }
        for text in misses {
            assert!(!compiled.is_in(text.as_bytes()), "{expression} is not in {text}");
        }
    }

    #[test]
    fn lines_from_the_documentation_of_qregex() {
        check(r"\.", &["mx.example"], &["localhost"]);
        check("@", &["a@b"], &["a"]);
        check(".*@.*.ru$", &["x@mail.ru", "x@mailXRU"], &["x@mail.rum"]);
        check("^[^.]*$", &["localhost", ""], &["a.b"]);
        check("[%#:*^(){}]", &["a%b@c", "a}@c", "a^b"], &["a@b"]);
        check(r"[\.]", &[r"a\b", "a.b"], &["ab"]);
        check("^friend@public.com$", &["Friend@PUBLIC.com"], &["afriend@public.com"]);
        check(r"^([0-9]{1,3}\.){3}[0-9]{1,3}$", &["192.0.2.1"], &["192.0.2.1.example", "1.2"]);
    }

    #[test]
    fn posix_is_not_perl() {
        check("a+?b", &["b", "ab", "aab"], &["a"]);
        check("^a{2}?$", &["", "aa"], &["a"]);
        check("[[:digit:]]+", &["x1"], &["x"]);
        check("[[:alpha:][:digit:]_]", &["_"], &["-"]);
        check("^[]a]$", &["]", "A"], &["b"]);
        check("^[^]a]$", &["b"], &["]", "a"]);
        check("^[a-c-]$", &["-", "b"], &["d"]);
        check("^[[.-.]]$", &["-"], &["."]);
        check("^[a&&b]$", &["&", "a"], &["c"]);
        check("^a{,2}$", &["", "aa"], &["aaa"]);
        check(r"\d", &["d"], &["1"]);
        check("a)", &["a)"], &["a"]);
        check(r"\<spam\>", &["the spam is"], &["spammer"]);
        check("(a|b|)c", &["c", "xbc"], &["b"]);
        check("x.y", &["x\ny", "xzy"], &["xy"]);
    }

    #[test]
    fn bytes_need_not_be_text() {
        let expression = Expression::new(b"[\xe0-\xff]+|(\xc4)").unwrap();
        assert!(expression.is_in(b"a\xe9"));
        assert!(expression.is_in(b"\xc4") && !expression.is_in(b"\xc5"));
    }

    #[test]
    fn what_is_no_expression_is_told() {
        for (expression, error) in [
            ("(a", "Unmatched ( or \\("),
            ("[a", "Unmatched [, [^, [:, [., or [="),
            ("*a", "Invalid preceding regular expression"),
            ("a|+", "Invalid preceding regular expression"),
            ("(?:a)", "Invalid preceding regular expression"),
            ("a{2,1}", "Invalid content of \\{\\}"),
            ("a{1", "Unmatched { or \\{"),
            ("(a)\\1", "Invalid back reference"),
            ("x(a\\", "Trailing backslash"),
            ("[[:nope:]]", "Invalid character class name"),
            ("[z-a]", "Invalid range end"),
            ("((a{200}){200}){200}", "Regular expression too big"),
        ] {
            assert_eq!(Expression::new(expression.as_bytes()).unwrap_err(), error, "{expression}");
        }
    }

    #[test]
    fn a_catastrophe_for_others_is_none_here() {
        let expression = Expression::new(b"^(a*)*(a|aa)+(.*a){12}$").unwrap();
        assert!(!expression.is_in(&[&[b'a'; 890][..], b"b"].concat()));
    }
}
