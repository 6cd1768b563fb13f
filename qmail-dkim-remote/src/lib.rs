//! Signs a message on its way to qmail-remote.
//!
//! Everything that leaves passes here: what users send, what is forwarded, and bounces, which no
//! signer in front of the queue ever sees. This process reads the keys. When it becomes
//! qmail-remote, which talks to strangers, they are gone from its memory, and it can open them no
//! more.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod candidates;
mod conceal;
mod next;
mod passage;
mod trouble;

use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::path::PathBuf;

use qmail_core::control::{Controls, DOMAINKEYS};
use qmail_policy::dkim::{HEADER_LIMIT, Keys, keys_for};
use qmail_policy::text;

use candidates::candidates;
use passage::Received;

pub use next::Next;
pub use trouble::Trouble;

/// All that a run depends on.
#[derive(Debug)]
pub struct Input {
    /// Host, sender and recipients, as qmail-remote has them.
    pub arguments: Vec<Vec<u8>>,
    /// The message.
    pub message: io::Result<File>,
    /// Where the tree is.
    pub home: PathBuf,
    /// What to become.
    pub next: Next,
}

/// Signs the message and becomes qmail-remote. Comes back only if that fails.
pub fn run(input: Input) -> Result<Infallible, Trouble> {
    let Input { arguments, message, home, next } = input;
    next.check()?;
    let received = Received::read(message.map_err(Trouble::Read)?, HEADER_LIMIT)?;
    let sender = arguments.get(1).map(Vec::as_slice).unwrap_or_default();
    let message = match keys(&received, sender, &home)? {
        Some(keys) => received.signed(&keys)?,
        None => received.unsigned()?,
    };
    // Without this, too, mail is signed and sent: the kernel may be old, or a directory closed.
    let _ = conceal::conceal(&home.join("control").join(DOMAINKEYS.file));
    next.become_it(&arguments, &message)
}

/// The keys that sign this message, if any do.
fn keys(
    received: &Received,
    sender: &[u8],
    home: &std::path::Path,
) -> Result<Option<Keys>, Trouble> {
    // Nobody signs a header of that size, and nobody verifies it.
    let Some(header) = received.header() else { return Ok(None) };
    let controls = Controls::open(home)?;
    let directory = controls.path(&DOMAINKEYS);
    let author = text::author(header);
    Ok(keys_for(&directory, candidates(author, sender, &controls)?)?)
}
