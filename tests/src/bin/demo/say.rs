//! What the audience reads.

use std::fmt::Display;
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};

/// Prints a line. That nobody reads it any more is no reason to leave a stage that is not cleared.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints the title of a step, with its number.
pub(crate) fn step(title: &str) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed).saturating_add(1);
    heading(&format!("{number}. {title}"));
}

/// Prints a line with an empty one before it.
pub(crate) fn heading(line: &str) {
    say(format!("\n{line}"));
}

/// Prints the beginning of a message: its header, and what fits of the rest.
pub(crate) fn show_message(message: &[u8]) {
    const MOST_LINES: usize = 20;
    let text = String::from_utf8_lossy(message);
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().take(MOST_LINES).for_each(|line| say(format!("  |    {line}")));
    if lines.len() > MOST_LINES {
        say(format!("  |    ... {} more lines", lines.len().saturating_sub(MOST_LINES)));
    }
}
