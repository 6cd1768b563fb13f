//! Who is logged in on which terminal: utmp(5).

use std::fs::File;
use std::io::{self, Read};
use std::mem::{offset_of, size_of};
use std::path::Path;

const FILE: &str = "/var/run/utmp";
/// More than any host has terminals.
const LARGEST_FILE: u64 = 1 << 24;
/// Bytes of the fields for names: see `libc::utmpx`.
const NAME: usize = 32;

/// A user at a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// His name, cut to the 32 bytes that the file has room for.
    pub user: Vec<u8>,
    /// The terminal, as its name in `/dev`.
    pub terminal: Vec<u8>,
}

impl Login {
    /// The longest name of a user that is not cut.
    pub const LONGEST_USER: usize = NAME;
}

/// All users who are logged in. Without the file that is nobody.
pub fn logins() -> io::Result<Vec<Login>> {
    let mut records = Vec::new();
    match File::open(Path::new(FILE)) {
        Ok(file) => file.take(LARGEST_FILE).read_to_end(&mut records)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    Ok(read(&records))
}

fn read(records: &[u8]) -> Vec<Login> {
    records.chunks_exact(size_of::<libc::utmpx>()).filter_map(login).collect()
}

fn login(record: &[u8]) -> Option<Login> {
    let kind = record.get(offset_of!(libc::utmpx, ut_type)..)?.first_chunk::<2>()?;
    if i16::from_ne_bytes(*kind) != libc::USER_PROCESS {
        return None;
    }
    Some(Login {
        user: name(record, offset_of!(libc::utmpx, ut_user))?,
        terminal: name(record, offset_of!(libc::utmpx, ut_line))?,
    })
}

fn name(record: &[u8], at: usize) -> Option<Vec<u8>> {
    let field = record.get(at..at + NAME)?;
    Some(field.split(|byte| *byte == 0).next().unwrap_or_default().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: i16, user: &[u8], terminal: &[u8]) -> Vec<u8> {
        let mut record = vec![0; size_of::<libc::utmpx>()];
        let mut put = |at: usize, bytes: &[u8]| record[at..at + bytes.len()].copy_from_slice(bytes);
        put(offset_of!(libc::utmpx, ut_type), &kind.to_ne_bytes());
        put(offset_of!(libc::utmpx, ut_user), user);
        put(offset_of!(libc::utmpx, ut_line), terminal);
        record
    }

    #[test]
    fn only_processes_of_users_count() {
        let mut file = record(libc::USER_PROCESS, b"joe", b"pts/1");
        file.extend(record(libc::DEAD_PROCESS, b"joe", b"pts/2"));
        file.extend(record(libc::USER_PROCESS, &[b'x'; 32], b"tty1"));
        file.extend_from_slice(b"cut off");
        let joe = Login { user: b"joe".to_vec(), terminal: b"pts/1".to_vec() };
        let other = Login { user: vec![b'x'; 32], terminal: b"tty1".to_vec() };
        assert_eq!(read(&file), [joe, other]);
    }
}
