//! Mailboxes of vpopmail's domains, and how full they are.

use std::io::{self, ErrorKind};
use std::path::Path;

use qmail_core::maildir::quota::percent_used;
use qmail_core::vpopmail::{self, Barred, Mailbox};

use crate::Found;

/// The mailbox with this name in the domain at `domain`; with `percent`, whether it is so full.
///
/// # Errors
/// If the list of mailboxes is there but cannot be read or understood.
pub(crate) fn find(domain: &Path, name: &[u8], percent: Option<u64>) -> io::Result<Found> {
    let mailbox = match vpopmail::find(domain, name) {
        Ok(mailbox) => mailbox,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Unclear),
        Err(error) => return Err(error),
    };
    let is_full = |mailbox: &Mailbox| {
        percent.is_some_and(|percent| used(mailbox).is_some_and(|used| used >= percent))
    };
    Ok(match mailbox {
        None => Found::Nobody,
        Some(mailbox) if mailbox.barred.has(Barred::MAIL) => Found::Nobody,
        Some(mailbox) if is_full(&mailbox) => Found::Full,
        Some(_) => Found::Somebody,
    })
}

/// In percent; `None` if there is no limit, or nobody has counted.
fn used(mailbox: &Mailbox) -> Option<u64> {
    // A quota that nobody understands is none, as for vdelivermail.
    let limits = mailbox.quota.as_ref().and_then(|_| mailbox.limits());
    percent_used(&mailbox.home.join("Maildir"), limits)
}
