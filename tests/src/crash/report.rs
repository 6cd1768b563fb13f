//! Saying what was tried, in the middle of the tests.

use std::io::Write;

/// Whether everything is to be tried, however long that takes: `QMAIL_CRASH=all`.
#[must_use]
pub fn is_thorough() -> bool {
    std::env::var_os("QMAIL_CRASH").is_some_and(|value| value == "all")
}

/// The only program whose calls are to be tried, all of them: `QMAIL_CRASH=qmail-clean`.
#[must_use]
pub fn only_program() -> Option<String> {
    let value = std::env::var("QMAIL_CRASH").ok()?;
    value.starts_with("qmail-").then_some(value)
}

/// So many, or all.
#[must_use]
pub fn at_most(usual: usize) -> usize {
    if is_thorough() { usize::MAX } else { usual }
}

/// Says what was tried. Not as a test does, of whom nobody hears if he succeeds.
pub fn say(text: &str) {
    let _ = std::io::stderr().write_all(format!("crash suite: {text}\n").as_bytes());
}
