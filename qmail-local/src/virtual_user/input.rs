//! The message, which a filter may have written into a pipe.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use qmail_core::maildir::Names;

/// `message`, if it can be read more than once, or else a copy of it: a file below `directory` that has
/// no name any more.
///
/// # Errors
/// If it cannot be copied. An empty copy is none: the filter has failed.
pub fn rewindable(mut message: File, directory: &Path, names: &mut Names) -> io::Result<File> {
    if message.stream_position().is_ok() {
        return Ok(message);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let path = directory.join(format!(".vdelivermail.{}", names.next_name(now)));
    let mut options = OpenOptions::new();
    let mut copy = options.read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    match io::copy(&mut message, &mut copy)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(copy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    fn read_twice(mut message: File) -> [String; 2] {
        ["", ""].map(|_| {
            let mut text = String::new();
            message.rewind().unwrap();
            message.read_to_string(&mut text).unwrap();
            text
        })
    }

    #[test]
    fn a_pipe_is_copied_and_leaves_no_name() {
        let directory = tempfile::tempdir().unwrap();
        let mut names = Names::new(1, b"h");
        let pipe = qmail_sys::pipe().unwrap();
        File::from(pipe.write).write_all(b"a message").unwrap();
        let message = rewindable(File::from(pipe.read), directory.path(), &mut names).unwrap();
        assert_eq!(read_twice(message), ["a message"; 2]);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"a file").unwrap();
        let message = rewindable(file, Path::new("/nonexistent"), &mut names).unwrap();
        assert_eq!(read_twice(message), ["a file"; 2]);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn nothing_is_no_message() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = qmail_sys::pipe().unwrap();
        drop(pipe.write);
        let result = rewindable(File::from(pipe.read), directory.path(), &mut Names::new(1, b"h"));
        assert_eq!(result.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}
