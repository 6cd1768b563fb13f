//! Telling a user, once a day, that his maildir is nearly full.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::{MaildirError, Names, counted_with};
use crate::maildir::{Delivery, deliver_whatever_the_quota};

/// Its time is that of the last warning.
const FILE: &str = "quotawarn";
/// How long a user is left in peace.
const PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

/// The warning.
#[derive(Debug)]
pub struct Warning<'a, R> {
    /// The header that comes before the text.
    pub lines: &'a [&'a [u8]],
    /// The rest of its header, and what it says.
    pub text: R,
}

/// Puts the warning into the maildir that `maildir` counts for, unless there was one today.
///
/// # Errors
/// If it is not there. Nothing depends on it.
pub fn warn<R: Read>(
    maildir: &Path,
    names: &mut Names,
    warning: Warning<'_, R>,
) -> Result<(), MaildirError> {
    let Some(maildir) = counted_with(maildir).map_err(MaildirError::Other)? else { return Ok(()) };
    let flags = qmail_sys::OPEN_NO_LINK | qmail_sys::OPEN_NONBLOCKING;
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600).custom_flags(flags);
    let path = maildir.join(FILE);
    // Who makes the file is the only one who does.
    let made = options.clone().create_new(true).open(&path);
    let is_first = made.is_ok();
    let stamp = made.or_else(|_| options.open(&path)).map_err(MaildirError::Other)?;
    // Of several that find it old, one has the lock, and the others find it young or leave it.
    if stamp.try_lock().is_err() || !(is_first || is_due(&stamp).map_err(MaildirError::Other)?) {
        return Ok(());
    }
    let delivery = Delivery { maildir: &maildir, lines: warning.lines, ..Delivery::default() };
    let delivered = deliver_whatever_the_quota(&delivery, names, warning.text);
    if delivered.is_ok() {
        stamp.set_modified(SystemTime::now()).map_err(MaildirError::Other)?;
    } else if is_first {
        // The next delivery tries again.
        let _ = std::fs::remove_file(&path);
    }
    delivered
}

fn is_due(stamp: &std::fs::File) -> io::Result<bool> {
    let last = stamp.metadata()?.modified()?;
    Ok(SystemTime::now().duration_since(last).is_ok_and(|age| age >= PAUSE))
}
