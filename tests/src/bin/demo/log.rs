//! qmail-send's log.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;

use crate::failure::{Failure, Outcome, wait_until};
use crate::say::say;

/// All lines up to now.
#[derive(Clone, Default)]
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<String>>>,
}

impl Log {
    /// Collects what comes.
    pub(crate) fn follow(source: impl Read + Send + 'static) -> Outcome<Self> {
        let log = Self::default();
        let lines = Arc::clone(&log.lines);
        let collect = move || {
            for line in BufReader::new(source).lines().map_while(Result::ok) {
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        };
        Builder::new().spawn(collect).map_err(Failure::because("cannot start a thread"))?;
        Ok(log)
    }

    /// How many lines there are.
    pub(crate) fn len(&self) -> usize {
        self.since(0).len()
    }

    /// The lines after the first `start`.
    pub(crate) fn since(&self, start: usize) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().skip(start).cloned().collect()
    }

    /// Waits until `count` lines after the first `start` begin with `text`.
    pub(crate) fn wait_for(&self, start: usize, text: &str, count: usize) -> Outcome<()> {
        wait_until(&format!("\"{text}\" in the log"), || {
            let lines = self.since(start);
            (lines.iter().filter(|line| line.starts_with(text)).count() >= count).then_some(())
        })
    }

    /// Shows everything that became of `count` messages, once they have left the queue.
    pub(crate) fn show_way_of_messages(&self, start: usize, count: usize) -> Outcome<()> {
        self.wait_for(start, "end msg", count)?;
        let is_about_messages = |line: &&String| !line.starts_with("status:");
        self.since(start)
            .iter()
            .filter(is_about_messages)
            .for_each(|line| say(format!("  log  {line}")));
        Ok(())
    }
}
