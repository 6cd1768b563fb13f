use super::*;

fn converted(text: &[u8], size: usize) -> Vec<u8> {
    let mut line_ends = LineEnds::default();
    text.chunks(size).flat_map(|block| line_ends.convert(block).into_owned()).collect()
}

#[test]
fn every_kind_of_line_end_becomes_lf_however_it_is_cut() {
    for (text, expected) in [
        ("a\r\nb\n", "a\nb\n"),
        ("a\rb", "a\nb"),
        ("a\r\r\nb\r", "a\n\nb\n"),
        ("\r\n\n\r", "\n\n\n"),
        ("plain\n", "plain\n"),
    ] {
        for size in 1..=text.len() {
            assert_eq!(converted(text.as_bytes(), size), expected.as_bytes(), "{text:?} {size}");
        }
    }
}

/// The header and the body, cut into blocks of `size`.
fn split(text: &str, size: usize) -> (String, String, State) {
    let mut reader = HeaderReader::new(20);
    let mut body = Vec::new();
    for block in text.as_bytes().chunks(size) {
        body.extend_from_slice(reader.push(block));
    }
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(reader.text()), text(&body), reader.state)
}

#[test]
fn a_header_ends_at_the_first_empty_line_however_it_is_cut() {
    for (header, body) in [("A: b\nC: d\n\n", "e\n\nf"), ("\n", "\nA: b\n"), ("A: b\n\n", "")] {
        let text = format!("{header}{body}");
        for size in 1..=text.len() {
            assert_eq!(
                split(&text, size),
                (header.to_owned(), body.to_owned(), State::Complete),
                "{size}"
            );
        }
    }
    assert_eq!(split("A: b\nC: d\n", 3), ("A: b\nC: d\n".into(), String::new(), State::Reading));
}

#[test]
fn a_long_header_is_given_up_and_takes_no_more_memory() {
    let mut reader = HeaderReader::new(20);
    for _ in 0..100 {
        reader.push(b"A: b\n");
    }
    assert!(reader.is_too_long());
    assert!(reader.text().len() <= 25);
    let mut reader = HeaderReader::new(20);
    reader.push(b"Subject: 12345678901234567890\n\nbody");
    assert!(reader.is_too_long());
}

#[test]
fn fields_are_found_with_their_folded_lines() {
    let header = b"A: b\n c\n\td\nno field\nE: f\n\nG: h\n";
    let found: Vec<&[u8]> = fields(header).collect();
    assert_eq!(found, [b"A: b\n c\n\td\n".as_slice(), b"no field\n", b"E: f\n"]);
    assert_eq!(fields(b"A: b\n c").collect::<Vec<_>>(), [b"A: b\n c"]);
    assert_eq!(fields(b"").count(), 0);
}

fn author_of(from: &str) -> Option<String> {
    author(format!("To: x@to.example\nFrom: {from}\n\n").as_bytes()).map(|name| name.to_string())
}

#[test]
fn the_author_is_the_first_address_in_from() {
    let expected = Some("a.example".to_owned());
    for from in [
        "joe@A.Example",
        "Joe <joe@a.example>",
        "\"joe@b.example\" <joe@a.example>",
        "(joe@b.example) joe@a.example (x)",
        "joe@a.example, jim@b.example",
        "friends: joe@a.example, jim@b.example;",
        "\n\t<joe\n @a.\n example>",
    ] {
        assert_eq!(author_of(from), expected, "{from}");
    }
}

#[test]
fn strange_authors_have_no_domain() {
    for from in ["", "joe", "joe@[192.0.2.1]", "joe@", "joe@b@c.example", "<joe@a..b>", "a\"b@c"] {
        assert_eq!(author_of(from), None, "{from}");
    }
    assert_eq!(author(b"To: x\n\nFrom: joe@a.example\n"), None);
}

#[test]
fn header_and_body_are_all_that_was_read() {
    for (text, header, body) in [
        ("A: b\r\nC: d\r\n\r\nx\r\n", "A: b\nC: d\n\n", "x\n"),
        ("A: b\n", "A: b\n", ""),
        ("Subject: 12345678901234567890\n\nx", "Subject: 12345678901234567890\n\n", "x"),
    ] {
        let mut blocks = Blocks::new(text.as_bytes());
        let (found, rest) = blocks.read_header(20).unwrap();
        assert_eq!((found.text(), rest.as_slice()), (header.as_bytes(), body.as_bytes()));
        assert!(blocks.next_block().unwrap().is_none());
    }
}
