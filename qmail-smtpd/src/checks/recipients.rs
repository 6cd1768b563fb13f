//! `recipients`: spamcontrol's list of where the recipients of each domain are known.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use qmail_address::host;
use qmail_core::built_in::break_character;
use qmail_core::cdb::Cdb;
use qmail_sys::{Exit, Spawn, pipe};

use super::{Check, Verdict};
use crate::program::{Allowance, Ended, run};
use crate::replies::{MAILBOX_UNAVAILABLE, NO_MAILBOX_BY_NAME, UNCHECKED_RECIPIENTS};
use crate::transaction::Recipient;
use crate::visit::Visit;

/// As many arguments as a program may have.
const MOST_ARGUMENTS: usize = 5;

/// Asks one line after the other until one knows the recipient. Without such a line he is refused.
pub(super) struct RecipientSources {
    lines: Vec<Line>,
    home: PathBuf,
    time: Duration,
    /// Says that it may be otherwise later.
    is_lenient: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Line {
    domain: Domain,
    place: Place,
}

#[derive(Debug, PartialEq, Eq)]
enum Domain {
    Any,
    Exactly(Vec<u8>),
    AndBelow(Vec<u8>),
}

#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// Everybody exists.
    Nowhere,
    Database(Vec<u8>),
    Program(Vec<Vec<u8>>),
}

impl Line {
    fn parse(line: &[u8]) -> Self {
        if let Some(domain) = line.strip_prefix(b"!") {
            return Self { domain: Domain::parse(domain), place: Place::Nowhere };
        }
        let Some(at) = line.iter().position(|byte| matches!(byte, b':' | b'|')) else {
            return Self { domain: Domain::Any, place: Place::Database(line.to_vec()) };
        };
        let (domain, rest) = line.split_at(at);
        let (delimiter, rest) = rest.split_first().unwrap_or((&b':', &[]));
        let place = if *delimiter == b'|' {
            let words = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            Place::Program(words.map(<[u8]>::to_vec).take(MOST_ARGUMENTS + 1).collect())
        } else {
            Place::Database(rest.to_vec())
        };
        Self { domain: Domain::parse(domain), place }
    }
}

impl Domain {
    fn parse(text: &[u8]) -> Self {
        match text {
            b"*" => Self::Any,
            [b'@', domain @ ..] => Self::Exactly(domain.to_ascii_lowercase()),
            domain => Self::AndBelow(domain.to_ascii_lowercase()),
        }
    }

    fn has(&self, host: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(domain) => host == domain,
            Self::AndBelow(domain) => host
                .strip_suffix(domain.as_slice())
                .is_some_and(|above| above.is_empty() || above.ends_with(b".")),
        }
    }
}

impl RecipientSources {
    pub(super) fn new(lines: &[Vec<u8>], home: PathBuf, time: Duration, is_lenient: bool) -> Self {
        Self { lines: lines.iter().map(|line| Line::parse(line)).collect(), home, time, is_lenient }
    }

    fn knows(&self, visit: &Visit, address: &[u8]) -> io::Result<bool> {
        let address = address.to_ascii_lowercase();
        let host = host(&address).unwrap_or_default();
        for line in self.lines.iter().filter(|line| line.domain.has(host)) {
            let is_known = match &line.place {
                Place::Nowhere => true,
                Place::Database(path) => self.is_in_database(path, &address)?,
                Place::Program(words) => self.is_known_to(visit, words, &address)?,
            };
            if is_known {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_in_database(&self, path: &[u8], address: &[u8]) -> io::Result<bool> {
        let cdb = Cdb::open(self.home.join(OsStr::from_bytes(path)))?;
        for name in [Some(address.to_vec()), base(address)].into_iter().flatten() {
            if cdb.get(&[b":", name.as_slice()].concat())?.is_some() || cdb.get(&name)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_known_to(&self, visit: &Visit, words: &[Vec<u8>], address: &[u8]) -> io::Result<bool> {
        let mut words = words.iter().map(|word| OsStr::from_bytes(word));
        let program = words.next().ok_or(io::ErrorKind::InvalidInput)?;
        let question = pipe()?;
        // Shorter than a pipe holds, so it does not wait for the program.
        File::from(question.write).write_all(&[address, b"\0\0\0"].concat())?;
        let (nothing, errors) = (File::open("/dev/null")?, io::stderr());
        let spawn = visit.variables.prepare(Spawn::search(program)).args(words);
        let spawn = spawn
            .directory(&self.home)
            .connect(0, nothing.as_fd())
            .connect(1, errors.as_fd())
            .connect(3, question.read.as_fd());
        match run(spawn, &[], Allowance { time: self.time, bytes: 0 })?.1 {
            Ended::With(Exit::Code(0)) => Ok(true),
            Ended::With(Exit::Code(1)) => Ok(false),
            Ended::With(_) | Ended::TimedOut => Err(io::ErrorKind::Other.into()),
        }
    }
}

/// `user-@domain` for `user-ext@domain`.
fn base(address: &[u8]) -> Option<Vec<u8>> {
    let at = address.iter().rposition(|byte| *byte == b'@')?;
    let (local, domain) = address.split_at(at);
    let dash = local.iter().position(|byte| *byte == break_character())?;
    Some([local.get(..=dash)?, domain].concat())
}

impl Check for RecipientSources {
    fn yields(&self) -> bool {
        true
    }

    fn recipient(&mut self, visit: &mut Visit, recipient: &mut Recipient) -> Verdict {
        if visit.may_relay() || recipient.is_known {
            return Verdict::Pass;
        }
        match self.knows(visit, &recipient.address) {
            Ok(true) => {
                recipient.is_known = true;
                Verdict::Pass
            }
            Ok(false) if self.is_lenient => Verdict::Refuse(MAILBOX_UNAVAILABLE),
            Ok(false) => Verdict::Refuse(NO_MAILBOX_BY_NAME),
            Err(_) => Verdict::Disconnect(UNCHECKED_RECIPIENTS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::visit;
    use qmail_core::cdb::CdbWriter;

    fn verdict(lines: &[&str], address: &str) -> Verdict {
        let home = tempfile::tempdir().unwrap();
        let file = File::create(home.path().join("a.cdb")).unwrap();
        let mut writer = CdbWriter::new(file).unwrap();
        writer.add(b":joe@a.example", b"").unwrap();
        writer.add(b":list-@a.example", b"").unwrap();
        writer.finish().unwrap();
        let lines: Vec<Vec<u8>> = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        let time = Duration::from_secs(60);
        let mut sources = RecipientSources::new(&lines, home.path().to_owned(), time, false);
        sources.recipient(&mut visit(), &mut Recipient::new(address))
    }

    #[test]
    fn lines_are_asked_for_their_domains() {
        let unknown = Verdict::Refuse(NO_MAILBOX_BY_NAME);
        let lines = ["a.example:a.cdb", "!free.example", "@only.example:a.cdb"];
        assert_eq!(verdict(&lines, "Joe@A.example"), Verdict::Pass);
        assert_eq!(verdict(&lines, "list-x@a.example"), Verdict::Pass);
        assert_eq!(verdict(&lines, "jane@a.example"), unknown);
        assert_eq!(verdict(&lines, "anybody@sub.free.example"), Verdict::Pass);
        assert_eq!(verdict(&lines, "x@xfree.example"), unknown);
        assert_eq!(verdict(&lines, "x@elsewhere.example"), unknown);
        assert_eq!(verdict(&["a.cdb", "!*"], "x@elsewhere.example"), Verdict::Pass);
        assert_eq!(verdict(&["a.cdb"], "joe@a.example"), Verdict::Pass);
    }

    #[test]
    fn programs_read_the_address_and_what_is_missing_is_for_later() {
        let reads = "*|/bin/sh -c grep${IFS}-q${IFS}joe@b<&3";
        assert_eq!(verdict(&[reads], "joe@b"), Verdict::Pass);
        assert_eq!(verdict(&[reads], "jane@b"), Verdict::Refuse(NO_MAILBOX_BY_NAME));
        let later = Verdict::Disconnect(UNCHECKED_RECIPIENTS);
        assert_eq!(verdict(&["*:none.cdb"], "joe@b"), later);
        assert_eq!(verdict(&["*|/nonexistent"], "joe@b"), later);
        assert_eq!(verdict(&["*|/bin/sh -c exit${IFS}111"], "joe@b"), later);
    }
}
