//! maildirmake: makes a maildir, or a folder in one, or sets its quota.
//!
//! Usage:       maildirmake NAME; maildirmake -f FOLDER MAILDIR; maildirmake -q QUOTA MAILDIR
//! Runs as:     the user who wants one
//! Descriptors: 2 what went wrong
//! Exit codes:  0 made; 100 wrong usage; 111 the system failed
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use qmail_core::options::{Given, Options};
use user_tools::failure::{Failure, finish};
use user_tools::quota::{limits, names};

use qmail_core::maildir::quota::{Limits, Quota};

const USAGE: Failure = Failure::Usage("maildirmake name");

fn main() -> ExitCode {
    finish("maildirmake", run())
}

fn run() -> Result<u8, Failure> {
    let Request { maildir, folder, quota } = Request::parse(std::env::args_os())?;
    qmail_sys::change_mask(0o077);
    match (&folder, quota) {
        (Some(folder), _) => make_folder(&maildir, folder)?,
        // What is there gets a quota.
        (None, Some(_)) if maildir.is_dir() => {}
        (None, _) => make(&maildir)?,
    }
    if let Some(limits) = quota {
        let what = [b"unable to set quota of ", maildir.as_os_str().as_bytes()].concat();
        Quota::set(&maildir, limits, &mut names())
            .map_err(|error| Failure::system(what, &error))?;
    }
    Ok(0)
}

struct Request {
    maildir: PathBuf,
    folder: Option<Vec<u8>>,
    quota: Option<Limits>,
}

impl Request {
    fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self, Failure> {
        let mut options = Options::new(b"f:q:", words);
        let (mut folder, mut quota) = (None, None);
        while let Some(given) = options.next_option().map_err(|_| USAGE)? {
            match given {
                Given::Argument(b'f', name) => folder = Some(name),
                Given::Argument(_, text) => quota = Some(limits(&text)?),
                Given::Letter(_) => return Err(USAGE),
            }
        }
        let maildir = options.operands().into_iter().next().ok_or(USAGE)?;
        Ok(Self { maildir: OsString::from_vec(maildir).into(), folder, quota })
    }
}

/// A folder is a maildir in a maildir, with a file that says so. Dots in its name are levels.
fn make_folder(maildir: &Path, name: &[u8]) -> Result<(), Failure> {
    let levels = name.split(|byte| *byte == b'.');
    if name.contains(&b'/') || levels.into_iter().any(<[u8]>::is_empty) {
        return Err(Failure::Permanent([b"bad name of a folder: ", name].concat()));
    }
    let name = OsString::from_vec([b".", name].concat());
    let folder = maildir.join(name);
    make(&folder)?;
    let mark = folder.join("maildirfolder");
    let what = [b"unable to create ", mark.as_os_str().as_bytes()].concat();
    File::create_new(mark).map(drop).map_err(|error| Failure::system(what, &error))
}

fn make(maildir: &Path) -> Result<(), Failure> {
    make_directory(maildir)?;
    ["tmp", "new", "cur"].iter().try_for_each(|part| make_directory(&maildir.join(part)))
}

fn make_directory(directory: &Path) -> Result<(), Failure> {
    let what = [b"unable to mkdir ", directory.as_os_str().as_bytes()].concat();
    fs::create_dir(directory).map_err(|error| Failure::system(what, &error))
}
