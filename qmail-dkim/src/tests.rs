use super::*;
use qmail_dns::{Cause, Failure};
use std::io::Read;

struct Silent;

impl Records for Silent {
    fn texts(&self, _: &str) -> Result<Vec<Vec<u8>>, Failure> {
        Err(Failure::Temporary(Cause::TimedOut))
    }
}

fn queued(message: &str, settings: &Settings) -> Result<String, Trouble> {
    let mut file = check(message.as_bytes(), "mx.example", settings, || Silent)?;
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    Ok(text)
}

fn settings(letters: Option<&str>, is_relay_client: bool) -> Settings {
    let letters = letters.map(|letters| letters.as_bytes().to_vec());
    Settings { letters, is_relay_client, queue: None }
}

const FORGED: &str = "Authentication-Results: MX.example; dkim=pass\n";
const MESSAGE: &str = "From: joe@a.example\nSubject: x\n\nbody\n";
const NONE: &str = "Authentication-Results: mx.example;\n\tdkim=none\n";

#[test]
fn results_come_on_top_and_false_ones_go() {
    let queued = queued(&format!("{FORGED}{MESSAGE}{FORGED}"), &Settings::default()).unwrap();
    assert_eq!(queued, format!("{NONE}{MESSAGE}{FORGED}"));
}

#[test]
fn our_own_users_are_not_asked_for_signatures_but_may_not_forge_results() {
    let message = format!("{FORGED}{MESSAGE}");
    assert_eq!(queued(&message, &settings(None, true)).unwrap(), MESSAGE);
    assert_eq!(queued(&message, &settings(Some(""), true)).unwrap(), format!("{NONE}{MESSAGE}"));
}

#[test]
fn refusals_have_a_code_with_and_without_words() {
    let refused = queued(MESSAGE, &settings(Some("S"), false)).unwrap_err();
    assert_eq!(refused.words(), "DDKIM: not signed (#5.7.20)");
    assert_eq!((refused.code(), refused.code_without_words()), (82, 31));
    let later = queued(MESSAGE, &settings(Some("s"), false)).unwrap_err();
    assert_eq!(later.words(), "ZDKIM: not signed (#4.7.20)");
    assert_eq!((later.code(), later.code_without_words()), (82, 71));
}

#[test]
fn a_giant_header_is_refused_for_now() {
    let message = format!("X: {}\n{MESSAGE}", "x".repeat(LONGEST_HEADER));
    let refused = queued(&message, &Settings::default()).unwrap_err();
    assert_eq!((refused.code(), refused.code_without_words()), (82, 71));
}

#[test]
fn a_large_header_passes_and_is_named_as_not_verified() {
    let message = format!("X: {}\n{FORGED}{MESSAGE}", "x".repeat(10 << 20));
    let queued = queued(&message, &Settings::default()).unwrap();
    assert!(queued.starts_with("Authentication-Results: mx.example;\n\tdkim=neutral (header too"));
    assert_eq!(queued.matches("Authentication-Results").count(), 1);
    assert!(queued.ends_with(MESSAGE));
}

#[test]
fn line_ends_become_those_of_the_queue() {
    let queued = queued(&MESSAGE.replace('\n', "\r\n"), &Settings::default()).unwrap();
    assert_eq!(queued, format!("{NONE}{MESSAGE}"));
}

#[test]
fn a_false_result_behind_a_lone_cr_goes_too() {
    let message = format!("X: y\r{FORGED}{MESSAGE}");
    assert_eq!(queued(&message, &Settings::default()).unwrap(), format!("{NONE}X: y\n{MESSAGE}"));
}
