//! Waiting for events.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything may take before a test calls it lost.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Waits until `find` finds something.
///
/// # Panics
///
/// When nothing was found within [`LIMIT`]; `what` says what was missing.
pub fn until<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(start.elapsed() < LIMIT, "waited {LIMIT:?} in vain for {what}");
        sleep(Duration::from_millis(5));
    }
}
