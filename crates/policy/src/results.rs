//! The Authentication-Results field: RFC 8601.

use qmail_message::field;

use crate::text::{fields, is_named};

const NAME: &str = "Authentication-Results";

/// One check and its result, as in `dkim=pass header.d=example.org`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// The check: `dkim`, say.
    pub name: &'static str,
    /// Its result: one of the words that the standard has for this check.
    pub result: &'static str,
    /// Why, in a few words of our own, for people.
    pub comment: Option<&'static str>,
    /// What was checked, by the name of the property: `header.d`, say.
    pub properties: Vec<(&'static str, String)>,
}

/// The field with the results of this server, with LF at its lines' ends. Whatever a message put
/// into a property stays one word, or one quoted string, on one line.
pub fn write(server: &str, methods: &[Method]) -> Vec<u8> {
    let mut written = format!("{NAME}: {}", word(server));
    if methods.is_empty() {
        written.push_str("; none");
    }
    for method in methods {
        written.push_str(&format!(";\n\t{}={}", method.name, method.result));
        if let Some(comment) = method.comment {
            written.push_str(&format!(" ({comment})"));
        }
        for (number, (property, value)) in method.properties.iter().enumerate() {
            let separator = if number > 0 && number % 2 == 0 { "\n\t" } else { " " };
            written.push_str(&format!("{separator}{property}={}", word(value)));
        }
    }
    written.push('\n');
    written.into_bytes()
}

/// A value as RFC 2045 writes it: quoted, unless it is a plain word. What cannot stand in a quoted
/// string on one line becomes `?`.
fn word(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.@+/=".contains(c);
    if !value.is_empty() && value.chars().all(is_plain) {
        return value.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in value.chars().take(200) {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            ' '..='~' => quoted.push(c),
            _ => quoted.push('?'),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a field claims to be the results of this server. If that is hard to tell and its name
/// occurs in the field, it does.
pub fn is_from(field: &[u8], server: &str) -> bool {
    if !is_named(field, NAME) {
        return false;
    }
    let value = field::unfold(field::contents(field)).to_ascii_lowercase();
    let server = server.to_ascii_lowercase();
    match identifier(&value) {
        Some(found) => found.strip_suffix(b".").unwrap_or(&found) == server.as_bytes(),
        None => value.windows(server.len().max(1)).any(|part| part == server.as_bytes()),
    }
}

/// The name at the beginning, behind blanks and comments; `None` if a comment or quote has no end.
fn identifier(value: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = value.iter().copied().peekable();
    let mut depth = 0_usize;
    let mut found = Vec::new();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if depth > 0 => drop(bytes.next()?),
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            b' ' | b'\t' | b'\r' | b'\n' if found.is_empty() => {}
            b'"' if found.is_empty() => loop {
                match bytes.next()? {
                    b'"' => return Some(found),
                    b'\\' => found.push(bytes.next()?),
                    byte => found.push(byte),
                }
            },
            b' ' | b'\t' | b'\r' | b'\n' | b';' => return Some(found),
            byte => found.push(byte),
        }
    }
    (depth == 0).then_some(found)
}

/// The parts of a header that stay when fields that claim to be this server's results are taken
/// out. The header has LF at its lines' ends: a CR, which some readers take for one, could hide such
/// a field. A line that continues nothing goes, too: it would continue the field of results that is
/// put on top.
pub fn without_claims<'h>(header: &'h [u8], server: &str) -> Vec<&'h [u8]> {
    let mut kept = Vec::new();
    let (mut seen, mut end) = (0, 0);
    for field in fields(header) {
        let start = end;
        end += field.len();
        if is_from(field, server) || continues(field) {
            kept.extend(header.get(seen..start));
            seen = end;
        }
    }
    kept.extend(header.get(seen..));
    kept
}

/// Whether this is no field but the continuation of one.
fn continues(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(properties: Vec<(&'static str, String)>) -> Method {
        Method { name: "dkim", result: "pass", comment: None, properties }
    }

    #[test]
    fn results_are_written_as_the_standard_has_them() {
        assert_eq!(write("mx.example", &[]), b"Authentication-Results: mx.example; none\n");
        let properties = vec![("header.d", "a.example".into()), ("header.s", "s1".into())];
        let first = method(properties);
        let second = Method { result: "fail", comment: Some("why"), ..method(Vec::new()) };
        let expected = "Authentication-Results: mx.example;\n\t\
                        dkim=pass header.d=a.example header.s=s1;\n\tdkim=fail (why)\n";
        assert_eq!(write("mx.example", &[first, second]), expected.as_bytes());
    }

    #[test]
    fn what_a_message_says_cannot_break_the_field() {
        let evil = "x\"; dkim=pass\nBcc: \u{e4}\\";
        let written = write("mx.example", &[method(vec![("header.i", evil.into())])]);
        let written = String::from_utf8(written).unwrap();
        assert!(written.ends_with("header.i=\"x\\\"; dkim=pass?Bcc: ?\\\\\"\n"), "{written}");
    }

    fn claims(value: &str) -> bool {
        is_from(format!("Authentication-Results:{value}\n").as_bytes(), "mx.example")
    }

    #[test]
    fn our_own_results_are_known_however_they_are_written() {
        for value in [
            " mx.example; dkim=pass",
            "MX.Example;none",
            " (c(d) \\) e) mx.example 1; none",
            "\n\tmx.example\n ;none",
            " \"mx.example\"; none",
            " \"m\\x.example\"; none",
            " mx.example.; none",
            "mx.example(x);",
            " mx.example",
            " (mx.example; dkim=pass",
            " \"mx.example; dkim=pass",
        ] {
            assert!(claims(value), "{value:?}");
        }
        assert!(is_from(b"AUTHENTICATION-results : mx.example; none\n", "mx.example"));
        for value in [" mx.example.org; none", " a.mx.example;", " x; mx.example", "", " (x"] {
            assert!(!claims(value), "{value:?}");
        }
        assert!(!is_from(b"X-Authentication-Results: mx.example; none\n", "mx.example"));
    }

    #[test]
    fn claims_are_taken_out_and_all_else_stays_as_it_is() {
        let header = b"A: b\nAuthentication-Results: mx.example;\n\tdkim=pass\nC: d\n e\n\
                       Authentication-Results: mx.example; x\nnonsense\n\
                       Authentication-Results: other; none\n\n";
        let kept = without_claims(header, "mx.example").concat();
        let expected = b"A: b\nC: d\n e\nnonsense\nAuthentication-Results: other; none\n\n";
        assert_eq!(kept, expected, "{}", String::from_utf8_lossy(&kept));
        for whole in [&b"A: b\n\nAuth"[..], b"A: b", b"\n", b""] {
            assert_eq!(without_claims(whole, "mx.example").concat(), whole);
        }
    }

    #[test]
    fn a_line_that_continues_nothing_cannot_continue_our_results() {
        let header = b"\t; dkim=pass header.d=bank.example\n more\nFrom: a@b\n\n";
        assert_eq!(without_claims(header, "mx.example").concat(), b"From: a@b\n\n");
    }

    #[test]
    fn a_header_of_many_lines_is_kept_in_one_piece() {
        let header = b"a\n".repeat(100_000);
        assert_eq!(without_claims(&header, "mx.example"), [&header[..]]);
    }
}
