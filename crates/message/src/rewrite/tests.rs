//! What was seen of the original, and the defects that it has and we do not.

use super::*;

fn completion() -> Completion {
    let me = b"test.example.com";
    Completion::new(me, me, me).unwrap()
}

fn rewritten(text: &str) -> String {
    String::from_utf8(field(text.as_bytes(), &completion()).unwrap().field).unwrap()
}

fn check(cases: &[(&str, &str)]) {
    for (before, after) in cases {
        assert_eq!(rewritten(&format!("{before}\n")), format!("{after}\n"), "{before}");
    }
}

#[test]
fn words_commas_and_phrases() {
    check(&[
        (
            "To: a b, c@d (comment) , \"X Y\" <e@f+>",
            "To: a@test.example.com, b@test.example.com, c@d.test.example.com (comment),\n  \
             \"X Y\" <e@f.test.example.com>",
        ),
        ("To: (x (y) z) joe (foo) @ bar . (q) com", "To: joe@bar.com (x y z) (foo) (q)"),
        ("To: Joe (x) Q. Public <a@b.c>", "To: Joe (x) Q.Public <a@b.c>"),
        ("To: ,,a@b.c,,", "To: , , a@b.c, ,"),
        ("To: a@b@c.d", "To: a@b@c.d"),
        ("To:x@y.z", "To: x@y.z"),
        ("To :\n x@y.z ,\n\tb@c.d", "To: x@y.z, b@c.d"),
        ("To:", "To:"),
    ]);
}

#[test]
fn routes_and_empty_addresses() {
    check(&[
        ("To: <@x,@y:joe@h>", "To: <joe@h.test.example.com>"),
        ("To: <@x>, <>", "To: <>, <>"),
        ("To: <joe.>, joe@h.", "To: <joe@test.example.com>, joe@h.test.example.com"),
        ("To: <joe@>", "To: <joe@test.example.com>"),
    ]);
    let all = field(b"To: <@x,@y:joe@h> , <@x>, <>, a\n", &completion()).unwrap().addresses;
    assert_eq!(all, [b"joe@h.test.example.com".as_slice(), b"", b"", b"a@test.example.com"]);
}

#[test]
fn literals_and_pluses() {
    check(&[
        ("To: joe@[1.2.3.4], joe@[]", "To: joe@[1.2.3.4], joe@[]"),
        ("To: joe+@h+, joe@[a\\]b]", "To: joe+@h.test.example.com, joe@[a\\]b]"),
    ]);
}

#[test]
fn closing_brackets_inside_words() {
    check(&[("To: a)b@c.d, x]y", "To: \"a\\)b\"@c.d, \"x\\]y\"@test.example.com")]);
}

#[test]
fn groups() {
    check(&[
        ("To: g:;", "To: g: ;"),
        ("To: a;b", "To: a@test.example.com;, b@test.example.com"),
        (
            "Reply-To: Joe <joe> , grp: a,b;, c",
            "Reply-To: Joe <joe@test.example.com>, grp: a@test.example.com,\n  \
             b@test.example.com;, c@test.example.com",
        ),
    ]);
}

#[test]
fn escaped_specials_are_printed_quoted() {
    check(&[
        ("To: a\\,b@c.d", "To: \"a,b\"@c.d"),
        ("To: a\\ b@c.d", "To: \"a b\"@c.d"),
        ("To: x\\@y@z.d", "To: \"x@y\"@z.d"),
    ]);
    let all = field(b"To: a\\,b@c.d\n", &completion()).unwrap().addresses;
    assert_eq!(all, [b"a,b@c.d"]);
}

#[test]
fn a_backslash_at_the_end_swallows_no_line_end() {
    assert_eq!(field(b"To: a@b.c\\\n", &completion()), Err(Unparsable));
    assert_eq!(field(b"To: a@b.c\\\r\n", &completion()), Err(Unparsable));
    check(&[("To: a\\\n b@c.d", "To: \"a b\"@c.d")]);
}

#[test]
fn a_quoted_string_over_two_lines_comes_out_on_one() {
    check(&[("To: \"a\n b\" <c@d.e>", "To: \"a b\" <c@d.e>")]);
    check(&[("To: \"a\r\n b\" (x\n y) <c@d.e>\r", "To: \"a b\" (x y) <c@d.e>")]);
}

#[test]
fn two_addresses_in_brackets_get_a_comma() {
    check(&[("To: foo <a@b.c> bar <c@d.e>", "To: foo <a@b.c>, bar <c@d.e>")]);
}

#[test]
fn addresses_with_line_ends_or_nul_are_refused() {
    for bad in [b"To: \"a\rb\"@c.d\n".as_slice(), b"To: a\0b@c.d\n", b"To: a@[b\0]\n"] {
        assert_eq!(field(bad, &completion()), Err(Unparsable));
    }
    assert_eq!(address(b"a\nb@c.d", &completion()), Err(Unparsable));
    assert_eq!(address(b"a@c.d\nx", &completion()), Err(Unparsable));
}

#[test]
fn a_single_address_is_all_local_part_up_to_its_last_at_sign() {
    let complete =
        |text: &str| String::from_utf8(address(text.as_bytes(), &completion()).unwrap()).unwrap();
    assert_eq!(complete("joe"), "joe@test.example.com");
    assert_eq!(complete("a, <b>@c"), "a, <b>@c.test.example.com");
    assert_eq!(complete("a@b@c.d"), "a@b@c.d");
    assert_eq!(complete("joe@h+"), "joe@h.test.example.com");
    assert_eq!(complete("joe@"), "joe@test.example.com");
    assert_eq!(complete(""), "");
    assert_eq!(address(b"a@)", &completion()), Err(Unparsable));
}

#[test]
fn addresses_can_be_read_without_completing_them() {
    assert_eq!(addresses(b"X: joe, <\"a b\"@c> (d)\n").unwrap(), [b"joe".as_slice(), b"a b@c"]);
    assert_eq!(addresses(b"X: a>\n"), Err(Unparsable));
}

#[test]
fn a_second_reading_changes_nothing() {
    for text in ["To: a b, c@d (e) , \"X Y\" <f@g+>, h: i;, j\\,k", "To: a)b@[c]d e", "To: <a <b"] {
        let once = rewritten(&format!("{text}\n"));
        assert_eq!(rewritten(&once), once);
    }
}
