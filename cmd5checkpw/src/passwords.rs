//! The file: a line `name:password` for each user.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// More than any file with passwords.
const LARGEST: u64 = 16 << 20;

/// Why a file is not used.
#[derive(Debug)]
pub enum Unusable {
    /// It cannot be read.
    Unreadable(io::Error),
    /// It is something else.
    NoFile,
    /// Everybody could read it.
    Exposed,
    /// We run set-id, and it is neither root's nor that of the account whose rights we have.
    Foreign,
}

impl fmt::Display for Unusable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Unreadable(error) => qmail_core::errno::text(error),
            Self::NoFile => "not a regular file",
            Self::Exposed => "everybody may read it, take that right away",
            Self::Foreign => "it belongs neither to root nor to the owner of this program",
        })
    }
}

impl std::error::Error for Unusable {}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

/// The password that a file has for a name. Everything behind the first colon of a line is it.
///
/// # Errors
/// If the file cannot be read, or is not one whose passwords count.
pub fn password_of(path: &Path, name: &[u8]) -> Result<Option<Vec<u8>>, Unusable> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let owners = [0, qmail_sys::effective_uid()];
    if !metadata.is_file() {
        return Err(Unusable::NoFile);
    }
    if metadata.mode() & 0o004 != 0 {
        return Err(Unusable::Exposed);
    }
    if qmail_sys::secure_execution() && !owners.contains(&metadata.uid()) {
        return Err(Unusable::Foreign);
    }
    let mut text = Vec::new();
    file.take(LARGEST).read_to_end(&mut text)?;
    Ok(find(&text, name))
}

fn find(text: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    // All lines are looked at: how long it takes says nothing of where the name is.
    let mut found = None;
    for line in text.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        if line.get(..colon) == Some(name) && !name.is_empty() && found.is_none() {
            found = line.get(colon + 1..);
        }
    }
    found.map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_password_may_have_colons_and_blanks() {
        let text = b"joe:secret\njane:a:b c \n:nobody\n#x:y\njoe:other";
        assert_eq!(find(text, b"joe").unwrap(), b"secret");
        assert_eq!(find(text, b"jane").unwrap(), b"a:b c ");
        for name in [b"".as_slice(), b"jo", b"joe:secret", b"nobody"] {
            assert_eq!(find(text, name), None, "{name:?}");
        }
    }

    #[test]
    fn a_file_that_everybody_reads_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("poppasswd");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"joe:secret\n").unwrap();
        file.set_permissions(std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(password_of(&path, b"joe").unwrap().unwrap(), b"secret");
        file.set_permissions(std::fs::Permissions::from_mode(0o604)).unwrap();
        assert!(matches!(password_of(&path, b"joe"), Err(Unusable::Exposed)));
        assert!(matches!(password_of(directory.path(), b"joe"), Err(Unusable::NoFile)));
        let missing = password_of(&directory.path().join("missing"), b"joe").unwrap_err();
        assert_eq!(missing.to_string(), "file does not exist");
    }
}
