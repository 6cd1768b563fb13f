//! The file: a line `name:password` for each user.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// More than any file with passwords.
const LARGEST: u64 = 16 << 20;

/// The password that a file has for a name. Everything behind the first colon of a line is it.
///
/// # Errors
/// If the file cannot be read, if everybody could read it, or, in a set-id program, if it is
/// neither root's nor that of the account whose rights we have.
pub fn password_of(path: &Path, name: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let owners = [0, qmail_sys::effective_uid()];
    let is_foreign = qmail_sys::secure_execution() && !owners.contains(&metadata.uid());
    if metadata.mode() & 0o004 != 0 || is_foreign || !metadata.is_file() {
        return Err(ErrorKind::PermissionDenied.into());
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
        assert_eq!(password_of(&path, b"joe").unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
}
