//! Files that say which process a service is.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Puts `id` into the file at `path`: whoever reads finds a whole number, the old one or this.
///
/// # Errors
/// If it cannot be written. What was at `path` is then still there.
pub fn write(path: &Path, id: u32) -> io::Result<()> {
    let temporary = beside(path, id);
    // Nothing of that name is there but what a process with our id left, who can be no more.
    let _ = fs::remove_file(&temporary);
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o644).open(&temporary)?;
    let written =
        file.write_all(format!("{id}\n").as_bytes()).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn beside(path: &Path, id: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".tmp.{id}"));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn the_file_is_replaced_and_no_link_is_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (path, other) = (directory.path().join("pid"), directory.path().join("other"));
        OpenOptions::new().write(true).create_new(true).open(&other).unwrap();
        symlink(&other, &path).unwrap();
        symlink(&other, beside(&path, 12)).unwrap();
        write(&path, 12).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "12\n");
        assert!(!path.is_symlink());
        assert_eq!(fs::read_to_string(&other).unwrap(), "");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn nothing_is_left_where_it_cannot_be_put() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pid");
        fs::create_dir(&path).unwrap();
        assert!(write(&path, 12).is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
