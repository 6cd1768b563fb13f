use super::*;

const CHALLENGE: &[u8] = b"<1.2@here>";

fn session(ways: &str, force: &str, offers_tls: bool, secure: bool) -> Session {
    let policy = Policy::from_environment(&|name| {
        let value = if name == "POP3AUTH" { ways } else { force };
        (!value.is_empty()).then(|| value.as_bytes().to_vec())
    });
    Session::new(policy, CHALLENGE, offers_tls, secure)
}

fn talk_with(session: &mut Session, lines: &[&[u8]]) -> Vec<Action> {
    let step = |line: &&[u8]| match session.awaits_answer() {
        true => session.answer(Some(line)),
        false => session.handle(&Command::parse(line)),
    };
    lines.iter().map(step).collect()
}

fn talk(lines: &[&[u8]]) -> Vec<Action> {
    talk_with(&mut session("", "", false, false), lines)
}

fn joe() -> Action {
    Action::LogIn(Credentials::new(b"joe", b"secret"))
}

#[test]
fn a_name_and_a_password_are_tried() {
    let told = talk(&[b"USER joe", b"user  jane x ", b"PASS  a b \r"]);
    let expected = [
        Action::Say("+OK "),
        Action::Say("+OK "),
        Action::LogIn(Credentials::new(b"jane x ", b"a b ")),
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_is_missing_is_told() {
    let told = talk(&[b"PASS x", b"USER", b"PASS x", b"USER joe", b"PASS", b"PASS \0x"]);
    let expected = [
        "-ERR USER first",
        "-ERR syntax error",
        "-ERR USER first",
        "+OK ",
        "-ERR syntax error",
        "-ERR syntax error",
    ];
    assert_eq!(told, expected.map(Action::Say));
}

#[test]
fn apop_has_both_in_one_line() {
    let told = talk(&[b"APOP", b"APOP joe", b"APOP joe  digest x"]);
    let expected = [
        Action::Say("-ERR syntax error"),
        Action::Say("-ERR syntax error"),
        Action::LogIn(Credentials::new(b"joe", b" digest x")),
    ];
    assert_eq!(told, expected);
}

#[test]
fn everything_else_has_to_wait() {
    let told = talk(&[b"STAT", b"", b"LIST", b"NOOP x", b"QUIT"]);
    let wait = || Action::Say("-ERR authorization first");
    assert_eq!(told, [wait(), wait(), wait(), Action::Say("+OK "), Action::Quit]);
}

#[test]
fn auth_takes_a_password_in_tls_only() {
    let plain: &[&[u8]] = &[b"AUTH PLAIN AGpvZQBzZWNyZXQ="];
    let told = talk_with(&mut session("", "", true, false), plain);
    assert_eq!(told, [Action::Say(replies::NO_MECHANISM)]);
    assert_eq!(talk_with(&mut session("", "", false, true), plain), [joe()]);
    assert_eq!(talk_with(&mut session("", "0", false, false), plain), [joe()]);
}

#[test]
fn auth_asks_for_what_is_missing() {
    let mut secure = session("+cram", "", false, true);
    let told = talk_with(&mut secure, &[b"AUTH LOGIN", b"am9l\r", b"c2VjcmV0\r"]);
    let ask = |text: &[u8]| Action::Ask(text.to_vec());
    assert_eq!(told, [ask(b"VXNlcm5hbWU6"), ask(b"UGFzc3dvcmQ6"), joe()]);
    let told = talk_with(&mut secure, &[b"AUTH PLAIN", b"*", b"AUTH PLAIN", b"!", b"NOOP"]);
    let expected = [
        ask(b""),
        Action::Say(replies::CANCELED),
        ask(b""),
        Action::Say("-ERR syntax error"),
        Action::Say("+OK "),
    ];
    assert_eq!(told, expected);
    let told = talk_with(&mut secure, &[b"auth cram-md5", b"am9lIGMwZmZlZQ=="]);
    let claimed = Action::LogIn(Credentials::new(b"joe", b"c0ffee"));
    assert_eq!(told, [ask(b"PDEuMkBoZXJlPg=="), claimed]);
}

#[test]
fn an_answer_that_is_too_long_ends_the_exchange_only() {
    let mut secure = session("", "", false, true);
    assert_eq!(talk_with(&mut secure, &[b"AUTH PLAIN"]), [Action::Ask(Vec::new())]);
    assert_eq!(secure.answer(None), Action::Say("-ERR syntax error"));
    assert!(!secure.awaits_answer());
}

#[test]
fn where_tls_is_demanded_a_password_in_the_clear_ends_the_session() {
    for line in [&b"USER joe"[..], b"PASS x", b"APOP joe x", b"AUTH PLAIN", b"AUTH CRAM-MD5"] {
        let told = talk_with(&mut session("+cram", "1", true, false), &[line]);
        assert_eq!(told, [Action::Refuse("-ERR TLS required but not negotiated")], "{line:?}");
    }
}

#[test]
fn tls_begins_once_and_forgets_what_was_said() {
    let mut session = session("", "", true, false);
    let told = talk_with(&mut session, &[b"USER joe", b"STLS x", b"STLS"]);
    let expected = [Action::Say("+OK "), Action::Say("-ERR syntax error"), Action::StartTls];
    assert_eq!(told, expected);
    session.secured();
    let told = talk_with(&mut session, &[b"STLS", b"PASS secret"]);
    assert_eq!(told, [Action::Say(replies::NO_TLS), Action::Say("-ERR USER first")]);
    assert_eq!(talk(&[b"STLS"]), [Action::Say(replies::NO_TLS)]);
}

#[test]
fn where_only_digests_count_there_is_no_user() {
    let told = talk_with(&mut session("cram", "", false, true), &[b"USER joe", b"AUTH PLAIN"]);
    let expected = [replies::WANT_LOGIN, replies::NO_MECHANISM].map(Action::Say);
    assert_eq!(told, expected);
}
