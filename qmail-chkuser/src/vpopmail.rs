//! vpopmail's mailboxes of a domain: `vpasswd.cdb`, and how full they are.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use qmail_core::cdb::Cdb;

use crate::Found;

const MAILBOXES: &str = "vpasswd.cdb";
/// vpopmail's `BOUNCE_MAIL`, among the flags that it keeps in the group.
const BOUNCES: u32 = 0x10;
/// What a mailbox without limit has for one.
const NO_QUOTA: &[u8] = b"NOQUOTA";
/// Maildir++ has such a file written anew when it is longer than 5120 bytes.
const LONGEST_SIZES: u64 = 65_536;

/// The mailbox with this name in the domain at `domain`.
///
/// # Errors
/// If the database is there but cannot be read.
pub(crate) fn find(domain: &Path, name: &[u8], quota: Option<u64>) -> io::Result<Found> {
    let record = match Cdb::open(domain.join(MAILBOXES)) {
        Ok(mailboxes) => mailboxes.get(name)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Unclear),
        Err(error) => return Err(error),
    };
    let Some(record) = record else { return Ok(Found::Nobody) };
    let mailbox = Mailbox::parse(&record);
    if mailbox.bounces {
        return Ok(Found::Nobody);
    }
    let is_full = quota.is_some_and(|percent| mailbox.fullness().is_some_and(|now| now >= percent));
    Ok(if is_full { Found::Full } else { Found::Somebody })
}

/// What matters of a record: `PASSWORD:UID:GID:REAL NAME:DIRECTORY:QUOTA:...`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Mailbox {
    bounces: bool,
    home: Option<PathBuf>,
    quota: Vec<u8>,
}

impl Mailbox {
    fn parse(record: &[u8]) -> Self {
        let fields: Vec<&[u8]> = record.split(|byte| *byte == b':').collect();
        // By the directory, since the name may stand before the password.
        let Some(at) = fields.iter().position(|field| field.starts_with(b"/")) else {
            return Self::default();
        };
        let field = |at: usize| fields.get(at).copied().unwrap_or_default();
        let flags = at.checked_sub(2).map(field).unwrap_or_default();
        let flags: u32 =
            std::str::from_utf8(flags).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        Self {
            bounces: flags & BOUNCES != 0,
            home: Some(PathBuf::from(OsStr::from_bytes(field(at)))),
            quota: field(at + 1).to_vec(),
        }
    }

    /// In percent; `None` if there is no limit, or nobody has counted.
    fn fullness(&self) -> Option<u64> {
        if self.quota == NO_QUOTA {
            return None;
        }
        let file = File::open(self.home.as_ref()?.join("Maildir/maildirsize")).ok()?;
        let mut sizes = Vec::new();
        file.take(LONGEST_SIZES).read_to_end(&mut sizes).ok()?;
        let mut lines = sizes.split(|byte| *byte == b'\n');
        let first = lines.next().unwrap_or_default();
        let limits = Limits::parse(if self.quota.is_empty() { first } else { &self.quota });
        limits.fullness(total(lines))
    }
}

/// Of a Maildir++: `52428800S,1000C`. vpopmail also writes `50M` and plain bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Limits {
    bytes: Option<u64>,
    messages: Option<u64>,
}

impl Limits {
    fn parse(text: &[u8]) -> Self {
        let mut limits = Self::default();
        for part in text.split(|byte| *byte == b',') {
            let digits = part.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (number, unit) = part.split_at(digits);
            let number = std::str::from_utf8(number).ok().and_then(|text| text.parse::<u64>().ok());
            let Some(number) = number.filter(|number| *number > 0) else { continue };
            match unit.to_ascii_uppercase().first() {
                Some(b'C') => limits.messages = Some(number),
                Some(b'K') => limits.bytes = Some(number.saturating_mul(1024)),
                Some(b'M') => limits.bytes = Some(number.saturating_mul(1024 * 1024)),
                Some(b'S') | None => limits.bytes = Some(number),
                Some(_) => {}
            }
        }
        limits
    }

    fn fullness(self, (bytes, messages): (i64, i64)) -> Option<u64> {
        let percent = |used: i64, limit: Option<u64>| {
            let used = u64::try_from(used).unwrap_or(0);
            limit.and_then(|limit| used.saturating_mul(100).checked_div(limit))
        };
        percent(bytes, self.bytes).max(percent(messages, self.messages))
    }
}

/// The sum of lines `BYTES MESSAGES`, some of which are negative.
fn total<'l>(lines: impl Iterator<Item = &'l [u8]>) -> (i64, i64) {
    lines.fold((0, 0), |(bytes, messages): (i64, i64), line| {
        let text = String::from_utf8_lossy(line);
        let mut numbers =
            text.split_ascii_whitespace().map(|word| word.parse::<i64>().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        (bytes.saturating_add(next()), messages.saturating_add(next()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_flags_a_directory_and_a_quota() {
        let mailbox = Mailbox::parse(b"$1$x:1:16:Ann:/home/v/ann:50M,10C:clear");
        assert!(mailbox.bounces);
        assert_eq!(mailbox.home.unwrap(), Path::new("/home/v/ann"));
        assert_eq!(mailbox.quota, b"50M,10C");
        assert!(!Mailbox::parse(b"ann:x:1:3:Ann:/home/v/ann:NOQUOTA").bounces);
        assert_eq!(Mailbox::parse(b"ann:x"), Mailbox::default());
    }

    #[test]
    fn limits_are_bytes_and_messages() {
        let limits = |text: &str| {
            let Limits { bytes, messages } = Limits::parse(text.as_bytes());
            (bytes, messages)
        };
        assert_eq!(limits("1000S,10C"), (Some(1000), Some(10)));
        assert_eq!(limits("2K"), (Some(2048), None));
        assert_eq!(limits("3MB"), (Some(3 << 20), None));
        assert_eq!(limits("500"), (Some(500), None));
        assert_eq!(limits("0S,x"), (None, None));
        assert_eq!(Limits::parse(b"1000S,10C").fullness((500, 9)), Some(90));
        assert_eq!(Limits::parse(b"").fullness((500, 9)), None);
        assert_eq!(Limits::parse(b"1S").fullness((-5, 9)), Some(0));
    }

    #[test]
    fn sizes_are_summed_and_nonsense_is_nothing() {
        let text = b"100 1\n200 2\n-50 -1\nnonsense\n\n";
        assert_eq!(total(text.split(|byte| *byte == b'\n')), (250, 2));
    }
}
