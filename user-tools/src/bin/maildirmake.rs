//! maildirmake: makes a maildir.
//!
//! Runs as:     the user who wants one
//! Descriptors: 2 what went wrong
//! Exit codes:  0 made; 100 wrong usage; 111 the system failed
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use user_tools::failure::{Failure, finish};
use user_tools::surroundings::words;

fn main() -> ExitCode {
    finish("maildirmake", run(&words()))
}

fn run(words: &[OsString]) -> Result<u8, Failure> {
    let name = words.first().ok_or(Failure::Usage("maildirmake name"))?;
    qmail_sys::change_mask(0o077);
    let maildir = Path::new(name);
    make(maildir)?;
    ["tmp", "new", "cur"].iter().try_for_each(|part| make(&maildir.join(part)))?;
    Ok(0)
}

fn make(directory: &Path) -> Result<(), Failure> {
    let what = [b"unable to mkdir ", directory.as_os_str().as_bytes()].concat();
    fs::create_dir(directory).map_err(|error| Failure::system(what, &error))
}
