use super::*;

const CHALLENGE: &[u8] = b"<1896.697170952@postoffice.reston.mci.net>";

/// The questions, in plain, and how it ends.
fn exchange(mechanism: &[u8], initial: Option<&[u8]>, lines: &[&[u8]]) -> (Vec<String>, Step) {
    let mechanism = Mechanism::named(mechanism).unwrap();
    let mut step = Exchange::begin(mechanism, CHALLENGE, initial);
    let mut questions = Vec::new();
    for line in lines {
        let Step::Ask(exchange, question) = step else { panic!("{step:?} before {line:?}") };
        questions.push(String::from_utf8(base64::decode(&question).unwrap()).unwrap());
        step = exchange.answer(line);
    }
    (questions, step)
}

fn claimed(step: Step) -> (Vec<u8>, Vec<u8>) {
    let Step::Claimed(claim) = step else { panic!("{step:?}") };
    (claim.user.clone(), claim.secret.clone())
}

fn encoded(bytes: &[u8]) -> Vec<u8> {
    base64::encode(bytes)
}

#[test]
fn plain_comes_at_once_or_when_asked_for() {
    let response = encoded(b"other\0joe\0pass word");
    let expected = (b"joe".to_vec(), b"pass word".to_vec());
    let (questions, step) = exchange(b"plain", Some(&response), &[]);
    assert_eq!((questions.len(), claimed(step)), (0, expected.clone()));
    let (questions, step) = exchange(b"PLAIN", None, &[&response]);
    assert_eq!((questions, claimed(step)), (vec![String::new()], expected));
}

#[test]
fn login_asks_twice_or_once() {
    let expected = (b"joe".to_vec(), b"secret".to_vec());
    let (questions, step) = exchange(b"LOGIN", None, &[b"am9l", b"c2VjcmV0"]);
    assert_eq!(
        (questions, claimed(step)),
        (vec!["Username:".into(), "Password:".into()], expected.clone())
    );
    let (questions, step) = exchange(b"LOGIN", Some(b"am9l"), &[b"c2VjcmV0"]);
    assert_eq!((questions, claimed(step)), (vec!["Password:".into()], expected));
}

#[test]
fn a_blank_behind_the_mechanism_is_no_response() {
    for mechanism in [b"PLAIN".as_slice(), b"LOGIN", b"CRAM-MD5"] {
        let (asked, nothing) =
            (exchange(mechanism, None, &[]), exchange(mechanism, Some(b""), &[]));
        assert!(matches!(nothing.1, Step::Ask(..)));
        assert_eq!(nothing, asked);
    }
}

#[test]
fn cram_md5_signs_the_challenge() {
    // RFC 2195 §2.
    let answer = b"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw";
    let (questions, step) = exchange(b"CRAM-MD5", None, &[answer]);
    assert_eq!(questions[0].as_bytes(), CHALLENGE);
    let Step::Claimed(claim) = step else { panic!("{step:?}") };
    let expected = [b"tim\0b913a602c7eda7a495b4e6e7334d3890\0", CHALLENGE, b"\0"].concat();
    assert_eq!(claim.request().as_ref(), expected);
    let expected = [b"tim\0", CHALLENGE, b"\0b913a602c7eda7a495b4e6e7334d3890\0"].concat();
    assert_eq!(claim.request_with_challenge_first().as_ref(), expected);
    assert_eq!(exchange(b"CRAM-MD5", Some(answer), &[]).1, Step::Malformed);
    let (_, step) = exchange(b"CRAM-MD5", None, &[&encoded(b"a b c0ffee")]);
    assert_eq!(claimed(step), (b"a b".to_vec(), b"c0ffee".to_vec()));
}

#[test]
fn a_star_cancels_at_any_time() {
    for mechanism in [b"PLAIN".as_slice(), b"LOGIN", b"CRAM-MD5"] {
        assert_eq!(exchange(mechanism, None, &[b"*"]).1, Step::Canceled);
    }
    assert_eq!(exchange(b"LOGIN", None, &[b"am9l", b"*"]).1, Step::Canceled);
    assert_eq!(exchange(b"PLAIN", Some(b"*"), &[]).1, Step::Canceled);
}

#[test]
fn names_and_secrets_are_neither_empty_nor_longer_than_they_look() {
    let responses: [&[u8]; 9] = [
        b"",
        b"joe",
        b"\0joe",
        b"\0joe\0",
        b"\0\0secret",
        b"\0joe\0sec\0ret",
        b"\0\0\0",
        b"\0",
        b"x\0\0y\0",
    ];
    for response in responses {
        assert_eq!(
            exchange(b"PLAIN", None, &[&encoded(response)]).1,
            Step::Malformed,
            "{response:?}"
        );
    }
    for lines in [[b"".to_vec(), b"x".to_vec()], [encoded(b"a\0b"), vec![]]] {
        assert_eq!(exchange(b"LOGIN", None, &[&lines[0]]).1, Step::Malformed);
    }
    for password in [b"".as_slice(), b"a\0b"] {
        let lines = [b"am9l".as_slice(), &encoded(password)];
        assert_eq!(exchange(b"LOGIN", None, &lines).1, Step::Malformed);
    }
    for response in [b"joe".as_slice(), b"joe ", b" c0ffee", b"j\0e c0ffee"] {
        assert_eq!(exchange(b"CRAM-MD5", None, &[&encoded(response)]).1, Step::Malformed);
    }
}

#[test]
fn what_is_no_base64_is_malformed_and_an_equals_sign_is_nothing() {
    assert_eq!(exchange(b"PLAIN", None, &[b"not base64"]).1, Step::Malformed);
    assert_eq!(exchange(b"PLAIN", Some(b"="), &[]).1, Step::Malformed);
    assert_eq!(exchange(b"LOGIN", Some(b"="), &[]).1, Step::Malformed);
    assert_eq!(Mechanism::named(b"GSSAPI"), None);
}

#[test]
fn a_secret_is_not_printed() {
    let (_, step) = exchange(b"PLAIN", Some(&encoded(b"\0joe\0secret")), &[]);
    assert_eq!(format!("{step:?}"), "Claimed(Claim { user: [106, 111, 101], .. })");
}
