//! Keys on disk: a directory for each domain, and in it a file for each selector.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::{Key, KeyError};
use crate::Domain;

/// Larger than any key file.
const LARGEST_FILE: u64 = 1 << 14;

/// More signatures than this are a mistake in the directory.
const MOST_KEYS: usize = 8;

/// The keys of a domain.
#[derive(Debug)]
pub struct Keys {
    /// The domain that signs.
    pub domain: Domain,
    /// Its keys, in the order of their selectors; each makes a signature.
    pub keys: Vec<Key>,
}

/// Why keys that are there cannot be used. Mail waits until that is repaired.
#[derive(Debug)]
pub enum StoreError {
    /// A directory or file could not be read.
    Read(PathBuf, io::Error),
    /// A file is not a key.
    Key(PathBuf, KeyError),
    /// There are too many keys in this directory.
    TooMany(PathBuf),
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, error) => write!(formatter, "{}: {}", path.display(), error.kind()),
            Self::Key(path, error) => write!(formatter, "{}: {error}", path.display()),
            Self::TooMany(path) => {
                write!(formatter, "{}: more than {MOST_KEYS} keys", path.display())
            }
        }
    }
}

impl std::error::Error for StoreError {}

/// The keys of the first of `domains` that has a directory below `root`. A domain whose directory
/// has no key has chosen not to sign.
///
/// # Errors
/// See [`StoreError`].
pub fn keys_for(
    root: &Path,
    domains: impl IntoIterator<Item = Domain>,
) -> Result<Option<Keys>, StoreError> {
    for domain in domains {
        let directory = root.join(domain.as_str());
        match fs::read_dir(&directory) {
            Ok(entries) => {
                let keys = read_keys(&directory, entries)?;
                return Ok(Some(Keys { domain, keys }).filter(|found| !found.keys.is_empty()));
            }
            // A file of that name is a key of somebody's other layout.
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(StoreError::Read(directory, error)),
        }
    }
    Ok(None)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn read_keys(directory: &Path, entries: fs::ReadDir) -> Result<Vec<Key>, StoreError> {
    let failed = |error| StoreError::Read(directory.to_owned(), error);
    let mut selectors = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        selectors.extend(selector(name.as_encoded_bytes()));
        if selectors.len() > MOST_KEYS {
            return Err(StoreError::TooMany(directory.to_owned()));
        }
    }
    selectors.sort();
    selectors.into_iter().map(|selector| read_key(directory, selector)).collect()
}

/// The selector that a file name is; `None` for what other programs leave beside keys, and for keys
/// that are not to be used yet, whose names begin with a dot.
fn selector(name: &[u8]) -> Option<Domain> {
    let is_beside = name.ends_with(b".pub") || name.ends_with(b".txt");
    // A name with upper-case letters could not be found again from the selector.
    Domain::parse(name).filter(|selector| !is_beside && selector.as_str().as_bytes() == name)
}

fn read_key(directory: &Path, selector: Domain) -> Result<Key, StoreError> {
    let path = directory.join(selector.as_str());
    let mut pem = Vec::new();
    let read = |pem: &mut Vec<u8>| File::open(&path)?.take(LARGEST_FILE).read_to_end(pem);
    read(&mut pem).map_err(|error| StoreError::Read(path.clone(), error))?;
    Key::parse(selector, &pem).map_err(|error| StoreError::Key(path, error))
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
