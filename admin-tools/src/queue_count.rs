//! How many messages there are.

use std::fs;
use std::io;
use std::path::PathBuf;

/// How many files there are in these directories.
pub fn count_files(directories: impl IntoIterator<Item = PathBuf>) -> io::Result<u64> {
    let mut count = 0;
    for directory in directories {
        for entry in fs::read_dir(directory)? {
            // A message that has gone since is none.
            if entry?.file_type().is_ok_and(|kind| kind.is_file()) {
                count += 1;
            }
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_count_and_directories_do_not() {
        let root = tempfile::tempdir().unwrap();
        let paths = ["a", "b"].map(|name| root.path().join(name));
        for path in &paths {
            fs::create_dir_all(path.join("directory")).unwrap();
            fs::File::create(path.join("1")).unwrap();
        }
        assert_eq!(count_files(paths).unwrap(), 2);
        assert!(count_files([root.path().join("missing")]).is_err());
    }
}
