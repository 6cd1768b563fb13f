//! deliverquota: delivers a message to a maildir, if its quota has room.
//!
//! Usage:       deliverquota [-c] [-w PERCENT] [-W FILE] MAILDIR \[QUOTA\]
//! Runs as:     the user whose maildir it is
//! Descriptors: 0 message, read; 2 what went wrong
//! Exit codes:  0 delivered; 77 no room; 75 no room now, or the system failed; 100 wrong usage
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use qmail_core::home::home;
use qmail_core::maildir::quota::Wanted;
use qmail_core::maildir::{Delivered, Delivery, MaildirError, deliver};
use qmail_core::options::{Given, Options};
use qmail_core::overquota::{Caution, Refusal};
use user_tools::failure::{Failure, finish, say};
use user_tools::quota::{limits, names};
use user_tools::surroundings::variable;

const USAGE: Failure =
    Failure::Usage("deliverquota [ -c ] [ -w percent ] [ -W file ] maildir [ quota ]");
const NO_PERMISSION: u8 = 77;
const LATER: u8 = 75;

fn main() -> ExitCode {
    match run() {
        Err(failure @ Failure::Temporary(_)) => {
            say(&failure.line("deliverquota"));
            ExitCode::from(LATER)
        }
        result => finish("deliverquota", result),
    }
}

fn run() -> Result<u8, Failure> {
    let request = Request::parse(std::env::args_os())?;
    qmail_sys::change_mask(0o077);
    if request.is_made {
        make(&request.maildir)?;
    }
    let mut names = names();
    let delivery =
        Delivery { maildir: &request.maildir, quota: request.quota, ..Delivery::default() };
    match deliver(&delivery, &mut names, io::stdin().lock()) {
        Ok(Delivered { percent }) => {
            let percent = percent.unwrap_or(0);
            // The message is there. The next one brings the next attempt to warn.
            let _ = request.caution().observe(&request.maildir, percent, &[], &mut names);
            Ok(0)
        }
        Err(MaildirError::Full) => {
            say(b"Mail quota exceeded.\n");
            Ok(if Refusal::of(&home()).is_permanent { NO_PERMISSION } else { LATER })
        }
        Err(error) => Err(Failure::Temporary(error.to_string().into_bytes())),
    }
}

struct Request {
    is_made: bool,
    percent: Option<u64>,
    text: Option<PathBuf>,
    maildir: PathBuf,
    quota: Wanted,
}

impl Request {
    fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self, Failure> {
        let mut options = Options::new(b"cw:W:", words);
        let (mut is_made, mut percent, mut text) = (false, None, None);
        while let Some(given) = options.next_option().map_err(|_| USAGE)? {
            match given {
                Given::Letter(_) => is_made = true,
                Given::Argument(b'w', digits) => percent = Some(number(&digits)?),
                Given::Argument(_, file) => text = Some(OsString::from_vec(file).into()),
            }
        }
        let operands = options.operands();
        let (maildir, quota) = match operands.as_slice() {
            [maildir] => (maildir, environment()?),
            [maildir, quota] => (maildir, Wanted::Exactly(limits(quota)?)),
            _ => return Err(USAGE),
        };
        let maildir = OsString::from_vec(maildir.clone()).into();
        Ok(Self { is_made, percent, text, maildir, quota })
    }

    /// What the command line says goes before the settings.
    fn caution(&self) -> Caution {
        let settings = Caution::of(&home());
        Caution {
            texts: self.text.clone().map_or(settings.texts, |text| vec![text]),
            percent: self.percent.unwrap_or(settings.percent),
        }
    }
}

/// Not his mistake who sent the message, nor his who called us: it waits until that is mended.
fn environment() -> Result<Wanted, Failure> {
    let Some(text) = variable("MAILDIRQUOTA") else { return Ok(Wanted::AsItIs) };
    let what = || Failure::Temporary(b"unable to understand MAILDIRQUOTA".to_vec());
    limits(&text).map(Wanted::Default).map_err(|_| what())
}

fn number(digits: &[u8]) -> Result<u64, Failure> {
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or(USAGE)
}

/// The maildir, and the directories that it is in.
fn make(maildir: &Path) -> Result<(), Failure> {
    ["tmp", "new", "cur"].iter().try_for_each(|part| {
        let directory = maildir.join(part);
        let what = [b"unable to mkdir ", directory.as_os_str().as_bytes()].concat();
        fs::create_dir_all(directory).map_err(|error| Failure::system(what, &error))
    })
}
