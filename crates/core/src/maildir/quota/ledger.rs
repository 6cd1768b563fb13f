//! The file `maildirsize`: what it says, and when that is not enough. No input or output.
//!
//! Its first line is the quota; each further one is a sum of bytes and messages, signed, that came
//! or went. Whoever changes the maildir appends one.

use std::time::Duration;

use super::limits::{Limits, Usage};

/// A file of this size is counted anew rather than read: it only grows.
pub const LARGEST: usize = 5120;
/// Sums that are older than this are not a reason to refuse a message.
pub const TRUSTED: Duration = Duration::from_secs(15 * 60);

/// What a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// The quota; `None` if the first line is none.
    pub limits: Option<Limits>,
    /// The sum of the other lines.
    pub used: Usage,
    /// How many they are.
    pub lines: usize,
    /// Whether every line could be read.
    pub is_sound: bool,
}

impl Ledger {
    /// Reads it, whatever it is.
    pub fn parse(file: &[u8]) -> Self {
        let (first, rest) = match file.iter().position(|byte| *byte == b'\n') {
            Some(end) => (file.get(..end), file.get(end + 1..)),
            None => (Some(file), None),
        };
        let limits = first.filter(|line| !line.trim_ascii().is_empty()).and_then(Limits::parse);
        let rest = rest.unwrap_or_default();
        let mut ledger =
            Self { limits, used: Usage::default(), lines: 0, is_sound: limits.is_some() };
        // A line that was cut short may have lost digits.
        ledger.is_sound &= file.ends_with(b"\n");
        for line in rest.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            ledger.lines += 1;
            match entry(line) {
                Some(entry) => ledger.used = ledger.used.plus(entry),
                None => ledger.is_sound = false,
            }
        }
        ledger.is_sound &= ledger.used.bytes >= 0 && ledger.used.messages >= 0;
        ledger
    }
}

fn entry(line: &[u8]) -> Option<Usage> {
    let mut numbers = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let (bytes, messages) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    numbers.next().is_none().then_some(Usage { bytes, messages })
}

/// The line to append, of the width that Courier gives it.
pub fn line(change: Usage) -> Vec<u8> {
    format!("{:>12} {:>12}\n", change.bytes, change.messages).into_bytes()
}

/// What the sums say of one more message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is room.
    Fits,
    /// There is none.
    Full,
    /// The messages themselves have to be asked.
    Recount,
}

/// Judges by the sums in a file of this age. They may be wrong, so they refuse nothing unless they
/// have just been counted.
pub fn judge(ledger: &Ledger, limits: Limits, message: Usage, age: Duration) -> Verdict {
    if !ledger.is_sound {
        Verdict::Recount
    } else if limits.admit(ledger.used, message) {
        Verdict::Fits
    } else if ledger.lines > 1 || age >= TRUSTED {
        Verdict::Recount
    } else {
        Verdict::Full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YOUNG: Duration = Duration::from_secs(15 * 60 - 1);

    fn verdict(file: &str, size: u64, age: Duration) -> Verdict {
        let ledger = Ledger::parse(file.as_bytes());
        judge(&ledger, ledger.limits.unwrap_or_default(), Usage::message(size), age)
    }

    #[test]
    fn lines_are_added_up() {
        let file = b"3000S,10C\n        2700            3\n         900            1\n-900 -1\n";
        let ledger = Ledger::parse(file);
        assert_eq!(ledger.used, Usage { bytes: 2700, messages: 3 });
        assert_eq!((ledger.lines, ledger.is_sound), (3, true));
        assert_eq!(ledger.limits, Limits::parse(b"3000S,10C"));
    }

    #[test]
    fn a_written_line_is_read_again_and_has_one_width() {
        let change = Usage { bytes: -900, messages: -1 };
        assert_eq!(line(change), b"        -900           -1\n");
        assert_eq!(entry(&line(change)), Some(change));
    }

    #[test]
    fn hostile_files_are_counted_anew() {
        for file in [
            "10S\n1",
            "10S\n1 1",
            "10S\nx y\n",
            "10S\n1 1 1\n",
            "10S\n99999999999999999999 1\n",
            "10S\n-1 0\n",
            "10S\n0 -1\n",
            "10S\n1 1\n\0\n",
            "10S",
        ] {
            assert_eq!(verdict(file, 1, YOUNG), Verdict::Recount, "{file:?}");
        }
        for file in ["", "\n", "garbage\n1 1\n", "\0\0\0\0"] {
            let ledger = Ledger::parse(file.as_bytes());
            assert_eq!((ledger.limits, ledger.is_sound), (None, false), "{file:?}");
        }
    }

    #[test]
    fn sums_saturate() {
        let ledger = Ledger::parse(format!("1S\n{0} 1\n{0} 1\n", i64::MAX).as_bytes());
        assert_eq!(ledger.used.bytes, i64::MAX);
    }

    #[test]
    fn only_sums_that_were_just_counted_refuse() {
        assert_eq!(verdict("100S\n90 1\n", 10, YOUNG), Verdict::Fits);
        assert_eq!(verdict("100S\n90 1\n", 11, YOUNG), Verdict::Full);
        assert_eq!(verdict("100S\n90 1\n", 11, TRUSTED), Verdict::Recount);
        assert_eq!(verdict("100S\n80 1\n10 1\n", 11, YOUNG), Verdict::Recount);
        assert_eq!(verdict("100S\n", 101, YOUNG), Verdict::Full);
        assert_eq!(verdict("0S\n90 1\n", 11, TRUSTED), Verdict::Fits);
    }
}
