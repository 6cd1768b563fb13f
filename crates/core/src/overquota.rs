//! What is said about maildirs that are full, or nearly: settings that are read only then.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use qmail_message::date::rfc5322;

use crate::control::{Controls, OVERQUOTA, QUOTAWARNMSG, QUOTAWARNPERCENT};
use crate::if_there;
use crate::maildir::quota::{Warning, warn};
use crate::maildir::{MaildirError, Names};

/// No warning is longer.
const LONGEST: u64 = 1 << 20;
const FULL: &[u8] = b"Recipient's mailbox is full, message returned to sender. (#5.2.2)";
const FULL_NOW: &[u8] = b"Recipient's mailbox is full. (#4.2.2)";

/// What becomes of a message for which there is no room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Whether it is returned at once, and not tried again.
    pub is_permanent: bool,
    /// What its sender is told.
    pub text: Vec<u8>,
}

impl Refusal {
    /// What `control/overquota` of the tree at `home` says.
    pub fn of(home: &Path) -> Self {
        let line = Controls::open(home).and_then(|controls| controls.line(&OVERQUOTA));
        // What cannot be read or understood may be mended, and the message waits for that.
        line.ok().flatten().map_or_else(Self::deferred, |line| Self::parse(&line))
    }

    /// `bounce` or `defer`, and what to say.
    fn parse(line: &[u8]) -> Self {
        let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
        let (word, text) = line.split_at(end);
        let text = text.trim_ascii();
        let said = |usual: &[u8]| if text.is_empty() { usual } else { text }.to_vec();
        match word {
            b"bounce" => Self { is_permanent: true, text: said(FULL) },
            b"defer" => Self { is_permanent: false, text: said(FULL_NOW) },
            _ => Self::deferred(),
        }
    }

    fn deferred() -> Self {
        Self { is_permanent: false, text: FULL_NOW.to_vec() }
    }
}

/// When a user is warned, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caution {
    /// The file with the message: the first of these that there is.
    pub texts: Vec<PathBuf>,
    /// How full a maildir must be.
    pub percent: u64,
}

impl Caution {
    /// What the tree at `home` has.
    pub fn of(home: &Path) -> Self {
        let controls = Controls::open(home);
        let percent = controls.and_then(|controls| controls.number(&QUOTAWARNPERCENT));
        // A warning is a courtesy: without settings that can be read there is none.
        Self {
            texts: vec![home.join("control").join(QUOTAWARNMSG.file)],
            percent: percent.unwrap_or(u64::MAX),
        }
    }

    /// Warns the user of a maildir that is so full, with `lines` at the top of the message. At most
    /// once a day, and not at all where there is no text.
    ///
    /// # Errors
    /// If he should have been warned and is not. His mail has been delivered all the same.
    pub fn observe(
        &self,
        maildir: &Path,
        percent: u64,
        lines: &[&[u8]],
        names: &mut Names,
    ) -> Result<(), MaildirError> {
        if percent < self.percent {
            return Ok(());
        }
        let Some(text) = self.texts.iter().find_map(|path| open(path)) else { return Ok(()) };
        let text = text.map_err(MaildirError::Read)?.take(LONGEST);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let date = format!("Date: {}\n", rfc5322(now.as_secs()));
        let id = format!("Message-Id: <{}>\n", names.next_message_id(now));
        let lines = [lines, &[date.as_bytes(), id.as_bytes()]].concat();
        warn(maildir, names, Warning { lines: &lines, text })
    }
}

/// `None` if it is not there.
fn open(path: &Path) -> Option<std::io::Result<File>> {
    let mut options = OpenOptions::new();
    if_there(options.read(true).custom_flags(qmail_sys::OPEN_NONBLOCKING).open(path)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write as _;

    fn refusal(line: &str) -> (bool, String) {
        let Refusal { is_permanent, text } = Refusal::parse(line.as_bytes());
        (is_permanent, String::from_utf8(text).unwrap())
    }

    #[test]
    fn the_setting_is_a_word_and_perhaps_a_text() {
        assert_eq!(refusal("bounce"), (true, String::from_utf8(FULL.to_vec()).unwrap()));
        assert_eq!(
            refusal("bounce User over quota. (#5.1.1)"),
            (true, "User over quota. (#5.1.1)".to_owned())
        );
        assert_eq!(refusal("defer \t Later."), (false, "Later.".to_owned()));
        for unknown in ["", "reject", "bounced", "5.2.2 full"] {
            assert!(!refusal(unknown).0, "{unknown}");
        }
        let home = tempfile::tempdir().unwrap();
        assert!(Refusal::of(home.path()).is_permanent, "without the file it is a bounce");
        fs::create_dir_all(home.path().join("control/overquota")).unwrap();
        assert!(!Refusal::of(home.path()).is_permanent, "what cannot be read is for later");
    }

    #[test]
    fn only_a_full_maildir_and_a_text_make_a_warning() {
        let home = tempfile::tempdir().unwrap();
        for name in ["control", "M", "M/new", "M/cur", "M/tmp"] {
            fs::create_dir(home.path().join(name)).unwrap();
        }
        let maildir = home.path().join("M");
        let warnings = |percent| {
            let mut names = Names::new(1, b"host");
            let caution = Caution::of(home.path());
            caution.observe(&maildir, percent, &[b"X: y\n"], &mut names).unwrap();
            let new = fs::read_dir(maildir.join("new")).unwrap();
            new.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect::<Vec<_>>()
        };
        assert!(warnings(100).is_empty());
        let text = b"From: postmaster\nSubject: full\n\nAlmost.\n";
        let mut file = File::create(home.path().join("control/quotawarnmsg")).unwrap();
        file.write_all(text).unwrap();
        assert!(warnings(89).is_empty());
        let [warning] = warnings(90).try_into().unwrap();
        assert!(warning.starts_with("X: y\nDate: ") && warning.contains("\nMessage-Id: <"));
        assert!(warning.ends_with("@host>\nFrom: postmaster\nSubject: full\n\nAlmost.\n"));
        assert_eq!(warnings(100).len(), 1);
    }
}
