//! Files that are there as a whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Puts a file that `fill` makes into the place of what is at `path`: whoever reads finds the old one
/// or this one. Of two who do this at once, the last one counts.
///
/// # Errors
/// What `fill` complains of, and if the file cannot be made. What was at `path` is then still there.
pub fn replace(
    path: &Path,
    mode: u32,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let temporary = beside(path);
    // Nothing of that name is there but what a process with our number left, who can be no more.
    let _ = fs::remove_file(&temporary);
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(&temporary)?;
    let written = fill(&mut file).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".tmp.{}", std::process::id()));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::symlink;

    fn text(file: &mut File) -> io::Result<()> {
        file.write_all(b"12\n")
    }

    #[test]
    fn the_file_is_replaced_and_no_link_is_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (path, other) = (directory.path().join("pid"), directory.path().join("other"));
        File::create(&other).unwrap();
        symlink(&other, &path).unwrap();
        symlink(&other, beside(&path)).unwrap();
        replace(&path, 0o644, text).unwrap();
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
        assert!(replace(&path, 0o644, text).is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
