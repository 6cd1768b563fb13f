//! Where a queue program tells its caller, in words of its own, why it refuses.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt;

/// Names another descriptor.
pub const VARIABLE: &str = "ERROR_FD";
/// The one for words, unless another is named.
const DESCRIPTOR: u8 = 6;

/// The pipe by which the caller listens, who may have `named` its descriptor.
///
/// # Errors
/// If there is none. What else may be open in its place is left alone: a caller that knows of no words
/// has something of its own there.
pub fn listener(named: Option<&str>) -> io::Result<File> {
    let file = File::from(qmail_sys::inherit(descriptor(named))?);
    let is_pipe = file.metadata()?.file_type().is_fifo();
    if is_pipe { Ok(file) } else { Err(ErrorKind::NotFound.into()) }
}

fn descriptor(named: Option<&str>) -> u8 {
    named.and_then(|number| number.parse().ok()).filter(|n| *n > 1).unwrap_or(DESCRIPTOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_may_be_named() {
        assert_eq!(descriptor(Some("4")), 4);
        for other in [None, Some(""), Some("0"), Some("x"), Some("300")] {
            assert_eq!(descriptor(other), 6);
        }
    }
}
