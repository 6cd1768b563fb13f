//! What the owner of an address has for it: a `.qmail` file, a mailbox of vpopmail, a list of ezmlm.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use qmail_core::built_in::break_character;
use qmail_core::users::Assignment;

use crate::{Found, Question, vpopmail};

/// A `.qmail` file in which vpopmail says this knows its mailboxes, and no others.
const NO_MAILBOX: &[u8] = b"bounce-no-mailbox";
/// As much of a `.qmail` file as is looked at: it is a user's, and he may make it what he likes.
const LONGEST: u64 = 65_536;

/// Whether there is something for the address; `mailbox` is its local part as the sender wrote it.
pub(crate) fn find(
    owner: &Assignment,
    mailbox: &[u8],
    question: Question<'_>,
) -> io::Result<Found> {
    if owner.dash.is_empty() {
        return Ok(Found::Somebody);
    }
    match search(owner, mailbox, question) {
        // A home that we may not look into: the mail is taken, and qmail-local decides.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Found::Somebody),
        result => result,
    }
}

fn search(owner: &Assignment, mailbox: &[u8], question: Question<'_>) -> io::Result<Found> {
    let extension = name_of(&owner.extension);
    let exact = file(owner, &extension);
    if is_there(&exact)? {
        return Ok(Found::Somebody);
    }
    for base in bases(&extension) {
        let default = file(owner, &[base, b"default"].concat());
        let Some(text) = contents(&default)? else { continue };
        let leaves_it_to_vpopmail = text.windows(NO_MAILBOX.len()).any(|part| part == NO_MAILBOX);
        if !leaves_it_to_vpopmail {
            return Ok(Found::Somebody);
        }
        return in_vpopmail(&owner.home, mailbox, question);
    }
    Ok(if question.only_known_domains { Found::Somebody } else { Found::Nobody })
}

/// A mailbox, or the directory of a list.
fn in_vpopmail(domain: &Path, mailbox: &[u8], question: Question<'_>) -> io::Result<Found> {
    let name = mailbox.to_ascii_lowercase();
    let found = vpopmail::find(domain, &name, question.quota)?;
    if found != Found::Nobody {
        return Ok(found);
    }
    // A list has further addresses: `list-subscribe`.
    let ends = (1..=name.len()).rev();
    let ends = ends.filter(|end| matches!(name.get(*end), None | Some(b'-')));
    for list in ends.filter_map(|end| name.get(..end)) {
        // Never a path from outside: an address may have slashes and dots.
        let is_plain = !list.starts_with(b".") && !list.contains(&b'/');
        if is_plain && is_there(&domain.join(OsStr::from_bytes(list)).join("editor"))? {
            return Ok(Found::Somebody);
        }
    }
    Ok(Found::Nobody)
}

/// The extension as qmail-local has it in the names of files: a slash stays, and leads nowhere up
/// without dots.
fn name_of(extension: &[u8]) -> Vec<u8> {
    let lower = extension.to_ascii_lowercase();
    lower.into_iter().map(|byte| if byte == b'.' { b':' } else { byte }).collect()
}

/// What may stand before `default`, the longest first.
fn bases(extension: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = (0..=extension.len()).rev();
    ends.filter_map(|end| extension.get(..end))
        .filter(|base| base.last().is_none_or(|last| *last == break_character()))
}

fn file(owner: &Assignment, extension: &[u8]) -> PathBuf {
    let name = [b".qmail", owner.dash.as_slice(), extension].concat();
    owner.home.join(OsStr::from_bytes(&name))
}

fn is_there(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if is_absence(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Of what is no file, nothing: nobody knows when a pipe ends.
fn contents(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => return Ok(Some(Vec::new())),
        Ok(_) => {}
        Err(error) if is_absence(&error) => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut text = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut text)?;
    Ok(Some(text))
}

fn is_absence(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | InvalidFilename)
}
