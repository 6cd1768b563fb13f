//! How far long work has come, for whoever watches a terminal.

use std::fs::{File, Metadata};
use std::io::{self, IsTerminal, Read, Write};
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
        self.advance(1);
    }

    /// So many more steps are done.
    fn advance(&mut self, steps: usize) {
        self.done = self.done.saturating_add(u64::try_from(steps).unwrap_or(u64::MAX));
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

/// A file that is read from end to end while its reader's progress is shown, in bytes.
#[derive(Debug)]
pub struct Watched {
    file: File,
    progress: Progress,
}

impl Watched {
    /// How long others than plain files are is not known.
    pub fn new(label: &'static str, file: File) -> Self {
        let metadata = file.metadata().ok().filter(Metadata::is_file);
        let progress = Progress::new(label, metadata.map(|metadata| metadata.len()));
        Self { file, progress }
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.progress.advance(count);
        Ok(count)
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
        progress.advance(6);
        assert_eq!(progress.line(), "looking: 7");
        assert_eq!(Progress::new("nothing", Some(0)).line(), "nothing: 0 of 0 (100 %)");
    }
}
