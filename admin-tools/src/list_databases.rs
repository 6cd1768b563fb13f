//! Databases of lists that are more than their lines: those of spamcontrol.

use std::fs::File;
use std::io::{self, BufRead};

use qmail_core::cdb::CdbWriter;
use qmail_core::sender_rules::Rule;

use crate::lines::{Next, each_line};

/// The first bytes of each line that has so many, as they are: base64 knows upper and lower case.
///
/// # Errors
/// If the list cannot be read, or the database cannot be written.
pub fn write_starts(list: impl BufRead, length: usize, database: File) -> io::Result<File> {
    let mut writer = CdbWriter::new(database)?;
    each_line(list, |line| -> io::Result<Next> {
        if let Some(start) = counting(line).and_then(|line| line.get(..length)) {
            writer.add(start, b"")?;
        }
        Ok(Next::Go)
    })?;
    writer.finish()
}

/// The rules of `mailfromrules`.
///
/// # Errors
/// If the list cannot be read or has a line that is no rule, or the database cannot be written.
pub fn write_sender_rules(list: impl BufRead, database: File) -> io::Result<File> {
    let mut writer = CdbWriter::new(database)?;
    each_line(list, |line| -> io::Result<Next> {
        if let Some(line) = counting(line) {
            let rule = Rule::parse(line).ok_or_else(|| no_rule(line))?;
            for key in &rule.keys {
                writer.add(key, &rule.data)?;
            }
        }
        Ok(Next::Go)
    })?;
    writer.finish()
}

fn no_rule(line: &[u8]) -> io::Error {
    io::Error::other(format!("unable to parse this line: {}", line.escape_ascii()))
}

/// A line that is no comment, without the blanks at its end.
fn counting(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii_end();
    (!line.is_empty() && !line.starts_with(b"#")).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmail_core::cdb::Cdb;

    fn made(write: impl FnOnce(File) -> io::Result<File>) -> (tempfile::TempDir, io::Result<Cdb>) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("cdb");
        let cdb = write(File::create(&path).unwrap()).and_then(|_| Cdb::open(&path));
        (home, cdb)
    }

    #[test]
    fn only_the_start_of_a_line_counts() {
        let list = &b"# comment\nTVqQAAMAAAAEAAAA\nshort\n"[..];
        let (_home, cdb) = made(|file| write_starts(list, 9, file));
        let cdb = cdb.unwrap();
        assert!(cdb.get(b"TVqQAAMAA").unwrap().is_some());
        assert!(cdb.get(b"tvqqaamaa").unwrap().is_none());
        assert!(cdb.get(b"short").unwrap().is_none());
    }

    #[test]
    fn a_line_that_is_no_rule_stops_everything() {
        let list = &b"192.0.2.1-2:@a\n\n# comment\njoe&@b,@c\n"[..];
        let (_home, cdb) = made(|file| write_sender_rules(list, file));
        assert_eq!(cdb.unwrap().get(b"joe").unwrap().unwrap(), b"+@b+@c");
        let (_home, cdb) = made(|file| write_sender_rules(&b"nonsense\n"[..], file));
        let error = cdb.map(drop).unwrap_err().to_string();
        assert_eq!(error, "unable to parse this line: nonsense");
    }
}
