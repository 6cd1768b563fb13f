//! What deliveries leave in a maildir when they fail.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::SystemTime;

use crate::queue::OSSIFIED;

/// Removes files from the `tmp` of a maildir that nobody has touched for longer than a delivery
/// takes. Nothing depends on it: what cannot be removed is left to the next who comes by.
pub fn remove_unfinished(maildir: &Path, now: SystemTime) {
    let Ok(entries) = fs::read_dir(maildir.join("tmp")) else { return };
    let is_hidden = |entry: &fs::DirEntry| entry.file_name().as_bytes().starts_with(b".");
    for entry in entries.flatten().filter(|entry| !is_hidden(entry)) {
        let accessed = entry.metadata().and_then(|metadata| metadata.accessed());
        let age = accessed.ok().and_then(|accessed| now.duration_since(accessed).ok());
        if age.is_some_and(|age| age > OSSIFIED) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::time::Duration;

    #[test]
    fn only_old_files_are_removed() {
        let maildir = tempfile::tempdir().unwrap();
        let tmp = maildir.path().join("tmp");
        fs::create_dir(&tmp).unwrap();
        let now = SystemTime::now();
        let times = |age| fs::FileTimes::new().set_accessed(now - Duration::from_secs(age));
        for (name, age) in [("old", 129_700), ("young", 129_500), (".old", 129_700)] {
            File::create(tmp.join(name)).unwrap().set_times(times(age)).unwrap();
        }
        remove_unfinished(maildir.path(), now);
        let mut left: Vec<_> =
            fs::read_dir(&tmp).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort_unstable();
        assert_eq!(left, [".old", "young"]);
    }
}
