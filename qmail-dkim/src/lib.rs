//! Verifies the signatures of a message on its way to qmail-queue.
//!
//! What is found goes into an Authentication-Results field on top; fields that claim to be from
//! this host are taken out. Nothing is refused unless `$DKIMVERIFY` says so.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod trouble;

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use qmail_core::control::{AUTHSERVID, Controls};
use qmail_dns::{Config, Resolver};
use qmail_policy::dkim::{Limits, Policy, Records, Verifier};
use qmail_policy::draft::Draft;
use qmail_policy::results::{Method, without_claims, write};
use qmail_policy::text::{Blocks, author, wire};
use qmail_sys::Spawn;

pub use trouble::Trouble;

/// A longer header is refused: it would have to be held in memory to find false claims in it.
const LONGEST_HEADER: usize = 16 << 20;

/// The longest time to wait for one name server in the first round. Clients wait for us.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);

/// All that a run depends on.
#[derive(Debug)]
pub struct Input {
    /// The message.
    pub message: io::Result<File>,
    /// Where the tree is.
    pub home: PathBuf,
    /// What the environment says.
    pub settings: Settings,
}

/// What the environment says.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `$DKIMVERIFY`: which outcomes are refused.
    pub letters: Option<Vec<u8>>,
    /// Whether there is a `$RELAYCLIENT`: a user of ours, whose mail nobody has signed yet.
    pub is_relay_client: bool,
    /// `$DKIMQUEUE`: the next program.
    pub queue: Option<Vec<u8>>,
}

/// Verifies the message and becomes the next program, which reads the envelope. Comes back only if
/// the message does not get that far.
pub fn run(input: Input) -> Result<Infallible, Trouble> {
    let Input { message, home, settings } = input;
    let server = server(&home)?;
    let message = message.map_err(Trouble::Read)?;
    let checked = check(message, &server, &settings, resolver)?;
    let queue = settings.queue.map(OsString::from_vec);
    Spawn::new(queue.unwrap_or_else(|| "bin/qmail-queue".into()))
        .directory(&home)
        .connect(0, checked.as_fd())
        .replace()
        .map_err(Trouble::Run)
}

/// The name under which results are written, and false ones found.
fn server(home: &Path) -> Result<String, Trouble> {
    let found = Controls::open(home).and_then(|controls| controls.line(&AUTHSERVID));
    let name = found.map_err(Trouble::Controls)?.unwrap_or_default();
    if name.is_empty() {
        return Err(Trouble::NoName);
    }
    Ok(String::from_utf8_lossy(&name).into_owned())
}

fn resolver() -> Resolver {
    let mut config = Config::from_system();
    config.timeout = config.timeout.min(PATIENCE);
    config.attempts = config.attempts.min(2);
    Resolver::new(config)
}

/// The message as it is to be queued.
fn check<R: Records>(
    message: impl io::Read,
    server: &str,
    settings: &Settings,
    resolver: impl FnOnce() -> R,
) -> Result<File, Trouble> {
    let mut blocks = Blocks::new(message);
    let (header, mut block) = blocks.read_header(LONGEST_HEADER).map_err(Trouble::Read)?;
    if header.is_too_long() {
        return Err(Trouble::HeaderTooLong);
    }
    let is_verified = settings.letters.is_some() || !settings.is_relay_client;
    let on_the_wire = if is_verified { wire(header.text()) } else { Vec::new() };
    let mut verifier = is_verified.then(|| Verifier::new(&on_the_wire, Limits::default()));
    let mut draft = Draft::new().map_err(Trouble::Write)?;
    for piece in without_claims(header.text(), server) {
        draft.write(piece).map_err(Trouble::Write)?;
    }
    loop {
        if let Some(verifier) = &mut verifier {
            verifier.body(&block);
        }
        draft.write(&block).map_err(Trouble::Write)?;
        match blocks.next_block().map_err(Trouble::Read)? {
            Some(next) => block = next.into_owned(),
            None => break,
        }
    }
    let Some(verifier) = verifier else { return draft.finish(b"").map_err(Trouble::Write) };
    let outcomes = verifier.finish(&resolver(), Limits::default());
    let policy = Policy::parse(settings.letters.as_deref().unwrap_or_default());
    if let Some(refusal) = policy.judge(&outcomes, author(header.text()).as_ref()) {
        return Err(Trouble::Refused(refusal));
    }
    let methods: Vec<Method> = outcomes.iter().map(|outcome| outcome.method()).collect();
    draft.finish(&write(server, &methods)).map_err(Trouble::Write)
}

#[cfg(test)]
mod tests;
