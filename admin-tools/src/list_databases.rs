//! Databases of lists that are more than their lines: those of spamcontrol.

use std::io::{self, BufRead};

use qmail_core::control;
use qmail_core::sender_rules::Rule;

use crate::database::Writer;
use crate::lines::{Next, each_line};

/// The first bytes of each line that has so many, as they are: base64 knows upper and lower case.
///
/// # Errors
/// If the list cannot be read, or the database cannot be written.
pub fn fill_starts(list: impl BufRead, length: usize, writer: &mut Writer) -> io::Result<()> {
    each_line(list, |line| -> io::Result<Next> {
        if let Some(start) = counting(line).and_then(|line| line.get(..length)) {
            writer.add(start, b"")?;
        }
        Ok(Next::Go)
    })
}

/// The rules of `mailfromrules`.
///
/// # Errors
/// If the list cannot be read or has a line that is no rule, or the database cannot be written.
pub fn fill_sender_rules(list: impl BufRead, writer: &mut Writer) -> io::Result<()> {
    each_line(list, |line| -> io::Result<Next> {
        if let Some(line) = counting(line) {
            let rule = Rule::parse(line).ok_or_else(|| no_rule(line))?;
            for key in &rule.keys {
                writer.add(key, &rule.data)?;
            }
        }
        Ok(Next::Go)
    })
}

fn no_rule(line: &[u8]) -> io::Error {
    io::Error::other(format!("unable to parse this line: {}", line.escape_ascii()))
}

/// A line that counts. Its end may be that of DOS: none of these lines ends with a CR.
fn counting(line: &[u8]) -> Option<&[u8]> {
    control::counting(line.trim_ascii_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::replace;
    use qmail_core::cdb::Cdb;

    fn made(fill: impl FnOnce(&mut Writer) -> io::Result<()>) -> io::Result<Cdb> {
        let home = tempfile::tempdir()?;
        let path = home.path().join("cdb");
        replace(&home.path().join("tmp"), &path, fill)?;
        Cdb::open(&path)
    }

    #[test]
    fn only_the_start_of_a_line_counts() {
        let list = &b"# comment\nTVqQAAMAAAAEAAAA\nshort\n"[..];
        let cdb = made(|writer| fill_starts(list, 9, writer)).unwrap();
        assert!(cdb.get(b"TVqQAAMAA").unwrap().is_some());
        assert!(cdb.get(b"tvqqaamaa").unwrap().is_none());
        assert!(cdb.get(b"short").unwrap().is_none());
    }

    #[test]
    fn a_line_that_is_no_rule_stops_everything() {
        let list = &b"192.0.2.1-2:@a\n\n# comment\njoe&@b,@c\n"[..];
        let cdb = made(|writer| fill_sender_rules(list, writer)).unwrap();
        assert_eq!(cdb.get(b"joe").unwrap().unwrap(), b"+@b+@c");
        let error = made(|writer| fill_sender_rules(&b"nonsense\n"[..], writer)).unwrap_err();
        assert_eq!(error.to_string(), "unable to parse this line: nonsense");
    }
}
