//! maildir2mbox: brings the messages of a maildir into an mbox.
//!
//! Runs as:     the user whose mail it is
//! Descriptors: 2 what went wrong
//! Exit codes:  0 done, or nothing to do; 111 the system failed: no message is lost
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use qmail_core::mbox::Locks;
use qmail_core::unfinished::remove_unfinished;
use user_tools::collect::collect;
use user_tools::failure::{Failure, finish};
use user_tools::maildir::{enter, scan};
use user_tools::surroundings::{variable, wanted};

const BAD_LOCKS: &str = "MBOXLOCKS must be some of flock, fcntl and dot, with commas between them";

fn main() -> ExitCode {
    finish("maildir2mbox", run())
}

fn run() -> Result<u8, Failure> {
    qmail_sys::change_mask(0o077);
    let mbox = PathBuf::from(OsString::from_vec(wanted("MAIL")?));
    let temporary = PathBuf::from(OsString::from_vec(wanted("MAILTMP")?));
    let locks = variable("MBOXLOCKS").map_or(Some(Locks::default()), |text| Locks::parse(&text));
    let locks = locks.ok_or_else(|| Failure::Temporary(BAD_LOCKS.into()))?;
    enter()?;
    let now = SystemTime::now();
    remove_unfinished(Path::new("."), now);
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let messages = scan(&["new", "cur"], seconds)?;
    if !messages.is_empty() {
        collect(&messages, &mbox, locks, &temporary)?;
    }
    Ok(0)
}
