//! What was made, a line each, in the order in which it was made.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use qmail_core::if_there;
use qmail_sys::sync_directory;

/// Below the home of qmail.
const FILE: &str = "services/made";

/// One thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// A file, with what tells whether it was changed since.
    File(u64, PathBuf),
    /// A symbolic link, and where it leads.
    Link(PathBuf, PathBuf),
    /// A directory.
    Directory(PathBuf),
    /// Services were handed to this supervisor, which looks for them there.
    Supervised(String, PathBuf),
}

/// What somebody who watches is told.
impl fmt::Display for Made {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(_, path) | Self::Directory(path) | Self::Link(_, path) => {
                write!(formatter, "made {}", path.display())
            }
            Self::Supervised(by, path) => {
                write!(formatter, "{by} has the services ({})", path.display())
            }
        }
    }
}

impl Made {
    fn line(&self) -> Vec<u8> {
        let path = |path: &Path| path.as_os_str().as_bytes().to_vec();
        let words: Vec<Vec<u8>> = match self {
            Self::File(sum, at) => vec![b"file".into(), format!("{sum:016x}").into(), path(at)],
            Self::Link(to, at) => vec![b"link".into(), path(to), path(at)],
            Self::Directory(at) => vec![b"directory".into(), b"-".into(), path(at)],
            Self::Supervised(by, at) => vec![b"supervised".into(), by.clone().into(), path(at)],
        };
        [words.join(&b'\t'), b"\n".into()].concat()
    }

    fn parse(line: &[u8]) -> Option<Self> {
        let mut words = line.splitn(3, |byte| *byte == b'\t');
        let (kind, word, last) = (words.next()?, words.next()?, words.next()?);
        let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
        let text = std::str::from_utf8(word).ok();
        Some(match kind {
            b"file" => Self::File(u64::from_str_radix(text?, 16).ok()?, path(last)),
            b"link" => Self::Link(path(word), path(last)),
            b"directory" => Self::Directory(path(last)),
            b"supervised" => Self::Supervised(text?.to_owned(), path(last)),
            _ => return None,
        })
    }
}

/// Adds a line, which is on disk before this comes back.
pub(super) fn note(home: &Path, made: &Made) -> io::Result<()> {
    let path = home.join(FILE);
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
    file.write_all(&made.line())?;
    file.sync_all()?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// All of it; `None` if nothing was ever made.
///
/// # Errors
/// `InvalidData` if a line is not understood: then nobody knows what is ours.
pub(super) fn read(home: &Path) -> io::Result<Option<Vec<Made>>> {
    let Some(text) = if_there(fs::read(home.join(FILE)))? else { return Ok(None) };
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let made: Option<Vec<Made>> = lines.map(Made::parse).collect();
    made.map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Where it is.
pub(super) fn path(home: &Path) -> PathBuf {
    home.join(FILE)
}

/// What tells a file from one that somebody has changed; no secret, and no proof.
pub(super) fn sum(contents: &[u8]) -> u64 {
    contents.iter().fold(0xcbf2_9ce4_8422_2325, |sum: u64, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The sum of a file.
pub(super) fn sum_of(path: &Path) -> io::Result<u64> {
    let mut contents = Vec::new();
    io::Read::read_to_end(&mut File::open(path)?, &mut contents)?;
    Ok(sum(&contents))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_again() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("services")).unwrap();
        assert_eq!(read(home.path()).unwrap(), None);
        let all = [
            Made::Directory("/a b".into()),
            Made::File(sum(b"x"), "/a b/c".into()),
            Made::Link("/var/qmail/boot/qmail".into(), "/etc/init.d/qmail".into()),
            Made::Supervised("runit".into(), "/etc/service".into()),
        ];
        for made in &all {
            note(home.path(), made).unwrap();
        }
        assert_eq!(read(home.path()).unwrap().unwrap(), all);
        File::create(path(home.path())).unwrap().write_all(b"file\tx\t/a\n").unwrap();
        assert!(read(home.path()).is_err());
    }
}
