//! Putting a new constant database in the place of an old one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::SystemTime;

use qmail_core::cdb::CdbWriter;
use qmail_sys::sync_directory;

/// The step that failed.
#[derive(Debug)]
pub enum DatabaseError {
    /// The temporary file cannot be opened or locked.
    Open(io::Error),
    /// It cannot be written, or not be brought to disk.
    Write(io::Error),
    /// It cannot be put in its place.
    Move(io::Error),
}

impl From<DatabaseError> for io::Error {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Open(error)
            | DatabaseError::Write(error)
            | DatabaseError::Move(error) => error,
        }
    }
}

/// A database that is being written.
pub type Writer = CdbWriter<File>;

/// Writes a database to `temporary`, as `fill` says, and moves it to `target`: at every moment
/// `target` is a whole database, the old one or the new one. Of two who do this at once, one waits.
///
/// # Errors
/// What `fill` complains of, and the steps of its own. The old database is then left alone.
pub fn replace<E: From<DatabaseError>>(
    temporary: &Path,
    target: &Path,
    fill: impl FnOnce(&mut Writer) -> Result<(), E>,
) -> Result<(), E> {
    replace_as_of(None, temporary, target, fill)
}

/// As [`replace`], for readers who ask whether the source was changed since: gives the database the
/// time of its source, taken before that was read. The time at which it was made would hide changes
/// that came meanwhile.
///
/// # Errors
/// As [`replace`].
pub fn replace_as_of<E: From<DatabaseError>>(
    time: Option<SystemTime>,
    temporary: &Path,
    target: &Path,
    fill: impl FnOnce(&mut Writer) -> Result<(), E>,
) -> Result<(), E> {
    let file = lock(temporary).map_err(DatabaseError::Open)?;
    let result = write(file, time, fill).and_then(|written| {
        fs::rename(temporary, target).map_err(DatabaseError::Move)?;
        // Ours until here: somebody who waits for it finds that it has another name, and makes his
        // own.
        drop(written);
        sync_directory(target.parent().unwrap_or(Path::new("."))).map_err(DatabaseError::Write)?;
        Ok(())
    });
    if result.is_err() {
        // Half a database is of no use to anybody, but it does no harm either.
        let _ = fs::remove_file(temporary);
    }
    result
}

fn write<E: From<DatabaseError>>(
    file: File,
    time: Option<SystemTime>,
    fill: impl FnOnce(&mut Writer) -> Result<(), E>,
) -> Result<File, E> {
    let mut writer = CdbWriter::new(file).map_err(DatabaseError::Write)?;
    fill(&mut writer)?;
    let file = writer.finish().map_err(DatabaseError::Write)?;
    time.map_or(Ok(()), |time| file.set_modified(time)).map_err(DatabaseError::Write)?;
    file.sync_all().map_err(DatabaseError::Write)?;
    Ok(file)
}

/// The temporary file, empty and ours.
fn lock(temporary: &Path) -> io::Result<File> {
    loop {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o644).open(temporary)?;
        file.lock()?;
        let ours = file.metadata()?;
        match fs::metadata(temporary) {
            Ok(named) if (named.dev(), named.ino()) == (ours.dev(), ours.ino()) => {
                file.set_len(0)?;
                return Ok(file);
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmail_core::cdb::Cdb;
    use std::io::Write;

    fn add(writer: &mut Writer) -> Result<(), DatabaseError> {
        writer.add(b"key", b"data").map_err(DatabaseError::Write)
    }

    #[test]
    fn the_new_database_takes_the_place_of_the_old_one() {
        let home = tempfile::tempdir().unwrap();
        let (temporary, target) = (home.path().join("cdb.tmp"), home.path().join("cdb"));
        File::create(&target).unwrap().write_all(b"old").unwrap();
        File::create(&temporary).unwrap().write_all(&[b'x'; 9999]).unwrap();
        replace(&temporary, &target, add).unwrap();
        assert!(!temporary.exists());
        assert_eq!(Cdb::open(&target).unwrap().get(b"key").unwrap().unwrap(), b"data");
        assert_eq!(fs::metadata(&target).unwrap().len(), 2048 + 8 + 7 + 16);
    }

    #[test]
    fn the_old_database_stays_if_anything_fails() {
        let home = tempfile::tempdir().unwrap();
        let (temporary, target) = (home.path().join("cdb.tmp"), home.path().join("cdb"));
        File::create(&target).unwrap().write_all(b"old").unwrap();
        let fail = |_: &mut Writer| Err(DatabaseError::Write(ErrorKind::Other.into()));
        assert!(replace(&temporary, &target, fail).is_err());
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert!(!temporary.exists());
        fs::create_dir(&temporary).unwrap();
        assert!(matches!(replace(&temporary, &target, add), Err(DatabaseError::Open(_))));
    }
}
