//! Names of messages in a maildir: unique among all processes, hosts and times.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Names that are tried where one is taken.
const ATTEMPTS: usize = 3;

/// The names that one process gives.
///
/// A name is `TIME.MxPyQz.HOST`: seconds, then microseconds, process id and number of names given
/// so far, then the host. Readers take it as a whole.
#[derive(Debug)]
pub struct Names {
    process: u32,
    host: String,
    given: u64,
}

impl Names {
    /// The names of process number `process` on `host`.
    pub fn new(process: u32, host: &[u8]) -> Self {
        Self { process, host: harmless(host), given: 0 }
    }

    /// A name that was not given before.
    pub fn next_name(&mut self, since_1970: Duration) -> String {
        format!("{}.{}", self.next_number(since_1970), self.host)
    }

    /// A message id of the same kind, less its brackets.
    pub fn next_message_id(&mut self, since_1970: Duration) -> String {
        format!("{}@{}", self.next_number(since_1970), self.host)
    }

    fn next_number(&mut self, since_1970: Duration) -> String {
        self.given += 1;
        let (seconds, micros) = (since_1970.as_secs(), since_1970.subsec_micros());
        format!("{seconds}.M{micros}P{}Q{}", self.process, self.given)
    }
}

/// Makes something under a new name in `directory`, and under another where that is taken.
/// `suffix` follows each of them.
pub(super) fn unless_taken<T>(
    directory: &Path,
    names: &mut Names,
    suffix: &str,
    make: impl Fn(&Path) -> io::Result<T>,
) -> io::Result<(PathBuf, T)> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let path = directory.join(names.next_name(now) + suffix);
        match make(&path) {
            Ok(made) => return Ok((path, made)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempts < ATTEMPTS => {}
            Err(error) => return Err(error),
        }
    }
}

/// A host name as a part of a file name: a slash would make it a path, a colon begin the flags, and
/// other bytes than these surprise whoever lists the directory.
fn harmless(host: &[u8]) -> String {
    let mut name = String::with_capacity(host.len());
    for byte in host {
        if byte.is_ascii_graphic() && !b"/:".contains(byte) {
            name.push(char::from(*byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(name, "\\{byte:03o}");
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_three_parts_and_differ() {
        let mut names = Names::new(42, b"mx.example");
        let now = Duration::new(1_767_323_045, 6_007_000);
        assert_eq!(names.next_name(now), "1767323045.M6007P42Q1.mx.example");
        assert_eq!(names.next_name(now), "1767323045.M6007P42Q2.mx.example");
    }

    #[test]
    fn a_strange_host_cannot_leave_the_directory_or_add_flags() {
        let name = Names::new(1, b"../a:2,S\n").next_name(Duration::ZERO);
        assert_eq!(name, "0.M0P1Q1...\\057a\\0722,S\\012");
    }
}
