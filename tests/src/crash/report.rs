//! What is to be tried, and saying in the middle of the tests what was.

use std::io::Write;
use std::time::Instant;

/// Whether everything is to be tried, however long that takes: `QMAIL_CRASH=all`.
fn is_thorough() -> bool {
    std::env::var_os("QMAIL_CRASH").is_some_and(|value| value == "all")
}

/// The only program whose calls are to be tried, all of them: `QMAIL_CRASH=qmail-clean`.
fn only_program() -> Option<String> {
    let value = std::env::var("QMAIL_CRASH").ok()?;
    value.starts_with("qmail-").then_some(value)
}

/// Whether calls of this program are to be tried: those of all are, unless one was asked for.
#[must_use]
pub fn is_wanted(program: &str) -> bool {
    only_program().is_none_or(|only| program == only)
}

/// Whether every call is to be tried, of all programs or of one.
#[must_use]
pub fn is_every_call() -> bool {
    is_thorough() || only_program().is_some()
}

/// So many, or all.
#[must_use]
pub fn at_most(usual: usize) -> usize {
    if is_thorough() { usize::MAX } else { usual }
}

/// Misfortunes of a kind, each of which befalls a life of its own.
pub struct Trials {
    what: String,
    start: Instant,
}

impl Trials {
    /// They begin.
    #[must_use]
    pub fn begin(what: String) -> Self {
        Self { what, start: Instant::now() }
    }

    /// Tries each of these, of so many that are known, and says what has come of it.
    ///
    /// # Panics
    /// If fewer than half of them have come to pass: no two lives are quite the same, but so much they
    /// are.
    pub fn each<T>(self, known: usize, sample: &[T], try_one: impl FnMut(&T) -> bool) {
        let (what, tried) = (self.what, sample.len());
        let reached = sample.iter().map(try_one).filter(|has_come| *has_come).count();
        assert!(reached * 2 >= tried, "{what}: only {reached} of {tried} came to pass");
        let time = self.start.elapsed();
        say(&format!("{what}: {reached} of {tried} tried of {known} known, 0 wrong; {time:?}"));
    }
}

/// Says what was tried. Not as a test does, of whom nobody hears if he succeeds.
pub fn say(text: &str) {
    let _ = std::io::stderr().write_all(format!("crash suite: {text}\n").as_bytes());
}
