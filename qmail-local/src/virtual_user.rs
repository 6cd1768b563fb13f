//! Delivering to a user of a domain of vpopmail: what `| vdelivermail '' bounce-no-mailbox` in the
//! `.qmail-default` of a domain does, where the files of vpopmail are there and its program is not.

mod input;
mod words;

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use qmail_core::maildir::Names;
use qmail_core::maildir::quota::Wanted;
use qmail_core::vpopmail::{self, Barred, Mailbox, text_of_domain};

use crate::choice;
use crate::deliver::{Deliver, FullMaildir, rewound};
use crate::dot_qmail::DotQmail;
use crate::execute::execute;
use crate::failure::Failure;
use crate::lines::{Lines, delivered_to};
use crate::looping;
use crate::settings::Settings;
use crate::variables::Variables;
use qmail_core::errno;

pub use input::rewindable;
pub use words::{Nobody, Words};

const NOBODY: &[u8] = b"Sorry, no mailbox here by that name. (#5.1.1)";
const MAILDIR: &str = "./Maildir/";

/// What the process was given.
pub struct Surroundings<'a> {
    /// The home directory of qmail.
    pub qmail_home: &'a Path,
    /// The directory of the domain, an absolute path.
    pub domain: &'a Path,
    /// Gives names to messages.
    pub names: Names,
    /// What is set for all deliveries.
    pub settings: Settings,
    /// The message.
    pub message: &'a File,
}

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It is done, and further instructions of the domain are not for this message.
    DoneAndStop,
    /// For good or for now, it is not; this is why.
    Failed(u8, Vec<u8>),
}

impl Outcome {
    fn refused(text: impl Into<Vec<u8>>) -> Self {
        Self::Failed(100, text.into())
    }

    fn deferred(text: impl Into<Vec<u8>>) -> Self {
        Self::Failed(111, text.into())
    }

    fn of(failure: &Failure) -> Self {
        let mut text = failure.message();
        text.pop();
        Self::Failed(failure.code(), text)
    }

    /// The exit code, and what is said.
    pub fn code_and_text(self) -> (u8, Vec<u8>) {
        match self {
            Self::Done => (0, Vec::new()),
            Self::DoneAndStop => (99, Vec::new()),
            Self::Failed(code, text) => (code, text),
        }
    }
}

/// Delivers a message as the files of the domain say.
pub fn run(words: &Words, surroundings: Surroundings<'_>) -> Outcome {
    match vpopmail::find(surroundings.domain, &words.name) {
        Err(error) => {
            let reason = errno::text(&error);
            Outcome::deferred(format!(
                "vdelivermail: unable to read the users of this domain: {reason}. (#4.3.0)"
            ))
        }
        Ok(Some(mailbox)) => to_user(words, &mailbox, surroundings),
        Ok(None) => to_nobody(words, surroundings),
    }
}

fn to_user(words: &Words, mailbox: &Mailbox, surroundings: Surroundings<'_>) -> Outcome {
    if mailbox.barred.has(Barred::MAIL) {
        let text = b"vdelivermail: account is locked email bounced ";
        return Outcome::refused([text, words.address().as_slice()].concat());
    }
    // A quota that nobody understands is none, as with vpopmail.
    let said = mailbox.quota.as_ref().and_then(|_| mailbox.limits());
    let quota = said.map_or(surroundings.settings.quota, Wanted::Exactly);
    let settings = Settings { quota, ..surroundings.settings };
    if let Err(error) = make_home(&mailbox.home) {
        return Outcome::of(&Failure::SwitchHome(mailbox.home.clone(), error));
    }
    deliver_in(&mailbox.home, words, Surroundings { settings, ..surroundings })
}

fn to_nobody(words: &Words, surroundings: Surroundings<'_>) -> Outcome {
    match &words.nobody {
        Nobody::Bounce => {
            let text = text_of_domain(surroundings.domain, ".no-user.msg");
            let text = text.map(|text| text.trim_ascii_end().to_vec());
            Outcome::refused(text.unwrap_or_else(|| NOBODY.to_vec()))
        }
        Nobody::Delete => Outcome::Done,
        Nobody::Directory(home) => deliver_in(home, words, surroundings),
        Nobody::Address(address) => {
            carry_out(&[b"&", address.as_slice(), b"\n"].concat(), words, surroundings)
        }
    }
}

/// Delivers as `.qmail` in this directory says, or into `Maildir` there.
fn deliver_in(home: &Path, words: &Words, surroundings: Surroundings<'_>) -> Outcome {
    if let Err(error) = std::env::set_current_dir(home) {
        return Outcome::of(&Failure::SwitchHome(home.to_owned(), error));
    }
    let own = choice::candidates(b"", b"").take(1);
    let instructions =
        DotQmail::find(own).and_then(|file| file.map_or(Ok(Vec::new()), DotQmail::read));
    match instructions {
        Err(failure) => Outcome::of(&failure),
        Ok(text) if text.is_empty() => match make_maildir(Path::new(MAILDIR)) {
            Err(error) => Outcome::of(&Failure::SwitchHome(home.join(MAILDIR), error)),
            Ok(()) => carry_out(format!("{MAILDIR}\n").as_bytes(), words, surroundings),
        },
        Ok(text) => carry_out(&text, words, surroundings),
    }
}

fn carry_out(instructions: &[u8], words: &Words, surroundings: Surroundings<'_>) -> Outcome {
    let Surroundings { qmail_home, domain, names, settings, message } = surroundings;
    let lines = Lines { delivered_to: delivered_to(&words.address()), ..words.lines.clone() };
    match rewound(message).map(|message| looping::has_line(message, &lines.delivered_to)) {
        Ok(Ok(false)) => {}
        Ok(Ok(true)) => return Outcome::refused("mail is looping"),
        Ok(Err(error)) => return Outcome::of(&Failure::ReadMessage(error)),
        Err(failure) => return Outcome::of(&failure),
    }
    let delivery = Deliver {
        message,
        lines,
        variables: Variables::inherited(),
        names,
        settings,
        full: FullMaildir { qmail_home, domain: Some(domain) },
        qmail_home,
        forward_sender: words.forward_sender.clone(),
        recipients: Vec::new(),
    };
    match execute(instructions, false, delivery) {
        Ok(tally) if tally.stopped => Outcome::DoneAndStop,
        Ok(_) => Outcome::Done,
        Err(failure) => Outcome::of(&failure),
    }
}

/// Users may be in the list before anybody has made their directories.
fn make_home(home: &Path) -> io::Result<()> {
    if fs::metadata(home).is_ok() { Ok(()) } else { make_directory(home) }
}

/// Whoever began this, and found the disk full, may not have made all of it.
fn make_maildir(maildir: &Path) -> io::Result<()> {
    let [new, cur, tmp] = ["new", "cur", "tmp"].map(|part| maildir.join(part));
    if fs::metadata(&tmp).is_ok() {
        return Ok(());
    }
    // What was looked for comes last.
    [maildir, &new, &cur, &tmp].into_iter().try_for_each(make_directory)
}

fn make_directory(directory: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn as_path(bytes: &[u8]) -> PathBuf {
    Path::new(OsStr::from_bytes(bytes)).to_owned()
}
