//! What went wrong, in a line.

use std::fmt;
use std::time::{Duration, Instant};

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(60);

/// What went wrong.
#[derive(Debug)]
pub(crate) struct Failure(String);

/// How a step ends.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// Something that was expected did not happen.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A call failed.
    pub(crate) fn because<E: fmt::Display>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |error| Self(format!("{what}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Waits until `find` finds something; `what` says what was missing.
pub(crate) fn wait_until<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> Outcome<T> {
    let started = Instant::now();
    loop {
        if let Some(found) = find() {
            return Ok(found);
        }
        if started.elapsed() > LIMIT {
            return Err(Failure::new(format!("waited {LIMIT:?} in vain for {what}")));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
