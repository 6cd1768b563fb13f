//! Who an address belongs to, and the list of exceptions: `users/cdb`.

use std::io;
use std::path::{Path, PathBuf};

use crate::cdb::Cdb;
use crate::if_there;

/// Where the list is below the home directory of qmail.
pub const DATABASE: &str = "users/cdb";

/// Who delivers to an address, and with which instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Name of the account.
    pub user: Vec<u8>,
    /// Its user id.
    pub uid: u32,
    /// Its group id.
    pub gid: u32,
    /// The directory with the instructions.
    pub home: PathBuf,
    /// What stands between `.qmail` and the extension in their names.
    pub dash: Vec<u8>,
    /// The extension.
    pub extension: Vec<u8>,
}

/// Six strings that are no [`Assignment`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl std::fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("malformed assignment")
    }
}

impl std::error::Error for Malformed {}

impl Assignment {
    /// Parses six strings, each ended by a NUL: what qmail-getpw prints.
    ///
    /// netqmail takes an id without digits for 0, which is root; here ids are digits and nothing
    /// else.
    pub fn parse(strings: &[u8]) -> Result<Self, Malformed> {
        let mut fields = strings.split(|byte| *byte == 0);
        let mut next = || fields.next().ok_or(Malformed);
        let (user, uid, gid) = (next()?, number(next()?)?, number(next()?)?);
        let (home, dash, extension) = (next()?, next()?, next()?);
        // The rest behind the last NUL.
        if !next()?.is_empty() || next().is_ok() {
            return Err(Malformed);
        }
        Ok(Self {
            user: user.to_vec(),
            uid,
            gid,
            home: path(home),
            dash: dash.to_vec(),
            extension: extension.to_vec(),
        })
    }

    /// The six strings.
    pub fn to_bytes(&self) -> Vec<u8> {
        use std::os::unix::ffi::OsStrExt;
        let (uid, gid) = (self.uid.to_string(), self.gid.to_string());
        let home = self.home.as_os_str().as_bytes();
        let fields =
            [&self.user, uid.as_bytes(), gid.as_bytes(), home, &self.dash, &self.extension];
        fields.map(|field| [field, b"\0"].concat()).concat()
    }
}

fn number(digits: &[u8]) -> Result<u32, Malformed> {
    // `parse` would take a sign.
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Malformed);
    }
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or(Malformed)
}

fn path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(bytes).into()
}

/// The six strings that the database assigns to `local`; `None` if it does not say, or is missing.
///
/// The longest match wins: first the whole address, then prefixes that end in one of the characters
/// that the database lists, at last the empty prefix.
///
/// # Errors
/// If the database cannot be read or is damaged. One without its list of characters is damaged: a
/// file that was cut short must not make users disappear.
pub fn find(database: &Path, local: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let Some(cdb) = if_there(Cdb::open(database))? else { return Ok(None) };
    let wildcards = cdb.get(b"")?.ok_or(io::ErrorKind::InvalidData)?;
    let lower = local.to_ascii_lowercase();
    if let Some(data) = cdb.get(&[b"!", lower.as_slice(), b"\0"].concat())? {
        return Ok(Some([data.as_slice(), b"\0"].concat()));
    }
    for length in (0..=lower.len()).rev() {
        let prefix = lower.get(..length).unwrap_or_default();
        if prefix.last().is_some_and(|last| !wildcards.contains(last)) {
            continue;
        }
        if let Some(data) = cdb.get(&[b"!", prefix].concat())? {
            // What the wildcard stands for, in its original case.
            let rest = local.get(length..).unwrap_or_default();
            return Ok(Some([data.as_slice(), rest, b"\0"].concat()));
        }
    }
    Ok(None)
}

/// What the database assigns to everything that begins with `prefix`, and to nothing shorter.
///
/// # Errors
/// As [`find`]; also if it assigns something that makes no sense.
pub fn assigned(database: &Path, prefix: &[u8]) -> io::Result<Option<Assignment>> {
    let Some(cdb) = if_there(Cdb::open(database))? else { return Ok(None) };
    let Some(data) = cdb.get(&[b"!", prefix.to_ascii_lowercase().as_slice()].concat())? else {
        return Ok(None);
    };
    let assignment = Assignment::parse(&[data.as_slice(), b"\0"].concat());
    assignment.map(Some).map_err(|_| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cdb::CdbWriter;

    fn database(records: &[(&[u8], &[u8])]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer = CdbWriter::new(file.reopen().unwrap()).unwrap();
        for (key, data) in records {
            writer.add(key, data).unwrap();
        }
        writer.finish().unwrap();
        file
    }

    fn found(records: &[(&[u8], &[u8])], local: &[u8]) -> Option<String> {
        let found = find(database(records).path(), local).unwrap();
        found.map(|bytes| String::from_utf8(bytes).unwrap().replace('\0', ":"))
    }

    const RECORDS: &[(&[u8], &[u8])] = &[
        (b"!joe\0", b"joe\x001\x002\0/home/joe\0\0"),
        (b"!joe-", b"joe\x001\x002\0/home/joe\0-\0"),
        (b"!joe-list-", b"list\x003\x004\0/list\0-\0pre-"),
        (b"!joe-li", b"never\x005\x006\0/\0\0"),
        (b"!", b"alias\x007\x008\0/alias\0-\0"),
        (b"", b"-"),
    ];

    #[test]
    fn the_whole_address_comes_first_in_any_case() {
        assert_eq!(found(RECORDS, b"JoE").unwrap(), "joe:1:2:/home/joe:::");
    }

    #[test]
    fn the_longest_prefix_wins_and_the_rest_keeps_its_case() {
        assert_eq!(found(RECORDS, b"joe-LIST-Ab").unwrap(), "list:3:4:/list:-:pre-Ab:");
        assert_eq!(found(RECORDS, b"JOE-LISt").unwrap(), "joe:1:2:/home/joe:-:LISt:");
        assert_eq!(found(RECORDS, b"joe-").unwrap(), "joe:1:2:/home/joe:-::");
    }

    #[test]
    fn prefixes_that_do_not_end_in_a_wildcard_do_not_count() {
        assert_eq!(found(RECORDS, b"joe-li").unwrap(), "joe:1:2:/home/joe:-:li:");
    }

    #[test]
    fn the_empty_prefix_stands_for_everybody_else() {
        assert_eq!(found(RECORDS, b"Ann-x").unwrap(), "alias:7:8:/alias:-:Ann-x:");
        assert_eq!(found(&RECORDS[5..], b"ann"), None);
        assert_eq!(found(&[(b"", b"")], b"ann"), None);
    }

    #[test]
    fn a_database_without_its_wildcards_is_damaged_and_a_missing_one_is_empty() {
        let file = database(&RECORDS[..2]);
        assert!(find(file.path(), b"joe").is_err());
        assert_eq!(find(Path::new("/nonexistent/cdb"), b"joe").unwrap(), None);
        file.as_file().set_len(0).unwrap();
        assert!(find(file.path(), b"joe").is_err());
    }

    #[test]
    fn assignments_are_read_as_they_are_written() {
        let assignment = Assignment {
            user: b"joe".to_vec(),
            uid: 1000,
            gid: 0,
            home: "/home/joe".into(),
            dash: b"-".to_vec(),
            extension: b"List".to_vec(),
        };
        assert_eq!(assignment.to_bytes(), b"joe\x001000\x000\0/home/joe\0-\0List\0");
        assert_eq!(Assignment::parse(&assignment.to_bytes()), Ok(assignment));
    }

    #[test]
    fn what_is_not_six_strings_with_two_numbers_is_no_assignment() {
        for strings in [
            b"".as_slice(),
            b"joe\x001\x002\0/\0-\0",
            b"joe\x001\x002\0/\0-\0x",
            b"joe\x001\x002\0/\0-\0x\0y\0",
            b"joe\0\x002\0/\0-\0x\0",
            b"joe\x001\0\0/\0-\0x\0",
            b"joe\x001\0staff\0/\0-\0x\0",
            b"joe\x00+1\x002\0/\0-\0x\0",
            b"joe\x001\x002x\0/\0-\0x\0",
            b"joe\x004294967296\x002\0/\0-\0x\0",
        ] {
            assert_eq!(Assignment::parse(strings), Err(Malformed), "{strings:?}");
        }
    }
}
