//! A program in a configuration file or on a command line.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::time::Instant;

use qmail_sys::{Child, Interest, Spawn, poll};

/// The program that a line names: words between blanks, or with `:` before it a command for a
/// shell. `None` if there is no word.
pub fn parse(line: &[u8]) -> Option<Vec<OsString>> {
    if let Some(command) = line.strip_prefix(b":") {
        let words = [OsStr::new("/bin/sh"), OsStr::new("-c"), OsStr::from_bytes(command)];
        return Some(words.map(OsStr::to_owned).to_vec());
    }
    let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let words: Vec<OsString> = words.map(|word| OsStr::from_bytes(word).to_owned()).collect();
    (!words.is_empty()).then_some(words)
}

/// The program with its arguments.
pub fn spawn<'fd>(words: &[OsString]) -> Spawn<'fd> {
    let (program, arguments) = words
        .split_first()
        .map_or((OsStr::new(""), words), |(first, rest)| (first.as_os_str(), rest));
    Spawn::search(program).args(arguments)
}

/// Waits for the end of a program, but no longer than this. Where the system cannot say that it has
/// ended, there is no limit: whoever waits for it then waits.
///
/// # Errors
/// If the system cannot wait.
pub fn ends_before(child: &Child, deadline: Instant) -> io::Result<bool> {
    let Ok(ended) = child.ended() else { return Ok(true) };
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if poll(&mut [Interest::reading(ended.as_fd())], Some(left))? {
            return Ok(true);
        }
        if left.is_zero() {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_is_a_shell_and_other_lines_are_words() {
        let words = |line: &str| {
            parse(line.as_bytes()).map(|words| words.join(OsStr::new("|")).into_string().unwrap())
        };
        assert_eq!(words("spamc  -d here").unwrap(), "spamc|-d|here");
        assert_eq!(words(":a | b").unwrap(), "/bin/sh|-c|a | b");
        assert_eq!(words(" \t"), None);
    }
}
