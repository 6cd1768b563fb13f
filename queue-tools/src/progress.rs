//! How far long work has come, for whoever watches a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Nobody reads faster.
const BETWEEN: Duration = Duration::from_millis(200);

/// A line on standard error that is written over and over; nothing where that is no terminal.
#[derive(Debug)]
pub struct Progress {
    label: &'static str,
    total: Option<u64>,
    done: u64,
    last: Instant,
    visible: bool,
    shown: bool,
}

impl Progress {
    /// Of work with this name, and so many steps if that is known.
    pub fn new(label: &'static str, total: Option<u64>) -> Self {
        let visible = io::stderr().is_terminal();
        Self { label, total, done: 0, last: Instant::now(), visible, shown: false }
    }

    /// One more step is done.
    pub fn step(&mut self) {
        self.done += 1;
        if self.visible && self.last.elapsed() >= BETWEEN {
            self.last = Instant::now();
            self.shown = true;
            let _ = io::stderr().write_all(format!("\r\x1b[K{}", self.line()).as_bytes());
        }
    }

    fn line(&self) -> String {
        let (label, done) = (self.label, self.done);
        match self.total {
            Some(total) => {
                let percent = done.saturating_mul(100).checked_div(total).unwrap_or(100);
                format!("{label}: {done} of {total} ({percent} %)")
            }
            None => format!("{label}: {done}"),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = io::stderr().write_all(b"\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_counted_against_the_total_if_there_is_one() {
        let mut progress = Progress::new("moving", Some(4));
        progress.visible = false;
        progress.step();
        assert_eq!(progress.line(), "moving: 1 of 4 (25 %)");
        let mut progress = Progress::new("looking", None);
        progress.step();
        assert_eq!(progress.line(), "looking: 1");
        assert_eq!(Progress::new("nothing", Some(0)).line(), "nothing: 0 of 0 (100 %)");
    }
}
