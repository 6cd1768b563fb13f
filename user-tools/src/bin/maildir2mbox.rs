//! maildir2mbox: brings the messages of a maildir into an mbox.
//!
//! Runs as:     the user whose mail it is
//! Descriptors: 2 what went wrong
//! Exit codes:  0 done, or nothing to do; 111 the system failed: no message is lost
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use user_tools::collect::collect;
use user_tools::failure::{Failure, finish};
use user_tools::maildir::{clean, enter, scan};
use user_tools::surroundings::wanted;

fn main() -> ExitCode {
    finish("maildir2mbox", run())
}

fn run() -> Result<u8, Failure> {
    qmail_sys::change_mask(0o077);
    let mbox = PathBuf::from(OsString::from_vec(wanted("MAIL")?));
    let temporary = PathBuf::from(OsString::from_vec(wanted("MAILTMP")?));
    enter()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    clean(now);
    let messages = scan(&["new", "cur"], now)?;
    if !messages.is_empty() {
        collect(&messages, &mbox, &temporary)?;
    }
    Ok(0)
}
