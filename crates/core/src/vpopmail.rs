//! The trees of vpopmail: who has a mailbox in a domain, and where. Files only; a site with vpopmail
//! in a database has its own programs for that.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::cdb::Cdb;
use crate::maildir::quota::Limits;

/// The users of a domain, by name, in its directory.
const DATABASE: &str = "vpasswd.cdb";
/// What the database is made from.
const LIST: &str = "vpasswd";
/// More than any list of users.
const LARGEST: u64 = 256 << 20;

/// A user of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// His password, as crypt(3) left it.
    pub hash: Vec<u8>,
    /// What he may not do.
    pub barred: Barred,
    /// His directory, which has `Maildir` and perhaps `.qmail`.
    pub home: PathBuf,
    /// His quota as it is written; `None` where nothing is.
    pub quota: Option<Vec<u8>>,
    /// His password as he types it, where that is kept: digests need it.
    pub password: Option<Vec<u8>>,
}

/// What somebody may not do, as bits of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Barred(u32);

impl Barred {
    /// He may not read mail by POP3.
    pub const POP: Self = Self(0x02);
    /// He may not read mail by IMAP.
    pub const IMAP: Self = Self(0x08);
    /// He gets no mail.
    pub const MAIL: Self = Self(0x10);
    /// He may not send mail.
    pub const SMTP: Self = Self(0x800);

    /// Whether he may not do this.
    pub fn has(self, bit: Self) -> bool {
        self.0 & bit.0 != 0
    }
}

impl Mailbox {
    /// Reads `hash:uid:gid:name:home:quota:password`; the number in the place of the group says what
    /// he may not do.
    fn parse(data: &[u8]) -> Option<Self> {
        let mut fields = data.splitn(7, |byte| *byte == b':');
        let (hash, _, barred) = (fields.next()?, fields.next()?, fields.next()?);
        let (_, home) = (fields.next()?, fields.next()?);
        let mut filled = || fields.next().filter(|field| !field.is_empty()).map(<[u8]>::to_vec);
        let home = PathBuf::from(OsStr::from_bytes(home));
        if !home.is_absolute() {
            return None;
        }
        let barred = match barred {
            b"" => Barred::default(),
            digits => Barred(std::str::from_utf8(digits).ok()?.parse().ok()?),
        };
        let (quota, password) = (filled(), filled());
        Some(Self { hash: hash.to_vec(), barred, home, quota, password })
    }

    /// His quota; `None` for something that is none.
    pub fn limits(&self) -> Option<Limits> {
        Limits::parse(self.quota.as_deref().unwrap_or_default())
    }
}

/// The mailbox of `name` in the domain whose directory this is; `None` if there is none.
///
/// # Errors
/// `NotFound` if nobody says who has a mailbox there; others if that cannot be read, or makes no
/// sense: then nobody's mail must be returned.
pub fn find(domain: &Path, name: &[u8]) -> io::Result<Option<Mailbox>> {
    let name = name.to_ascii_lowercase();
    let Some(data) = data(domain, &name)? else { return Ok(None) };
    Mailbox::parse(&data).map(Some).ok_or_else(|| ErrorKind::InvalidData.into())
}

fn data(domain: &Path, name: &[u8]) -> io::Result<Option<Vec<u8>>> {
    match Cdb::open(domain.join(DATABASE)) {
        Ok(database) => database.get(name),
        Err(error) if error.kind() == ErrorKind::NotFound => in_list(&domain.join(LIST), name),
        Err(error) => Err(error),
    }
}

/// A domain whose database was never made, or got lost.
fn in_list(list: &Path, name: &[u8]) -> io::Result<Option<Vec<u8>>> {
    // Neither stands in a name: the rest of another's line could be taken for a mailbox.
    if name.is_empty() || name.contains(&b':') || name.contains(&b'\n') {
        return Ok(None);
    }
    let mut text = Vec::new();
    File::open(list)?.take(LARGEST).read_to_end(&mut text)?;
    let mut lines = text.split(|byte| *byte == b'\n');
    Ok(lines.find_map(|line| {
        let data = line.strip_prefix(name)?.strip_prefix(b":")?;
        Some(data.to_vec())
    }))
}

/// The first of `.NAME` in the directory of a domain and in the one above, where domains are.
pub fn text_of_domain(domain: &Path, name: &str) -> Option<Vec<u8>> {
    texts_of_domain(domain, name).iter().find_map(|path| fs::read(path).ok())
}

/// Where [`text_of_domain`] looks.
pub fn texts_of_domain(domain: &Path, name: &str) -> Vec<PathBuf> {
    vec![domain.join(name), domain.join("..").join(name)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cdb::CdbWriter;
    use std::io::Write as _;

    const ANN: &str = "$1$x$y:1:2064:Ann B:/v/domains/d/ann:10MB,5C:se:cret";

    fn domain(list: &str, database: &[(&str, &str)]) -> tempfile::TempDir {
        let domain = tempfile::tempdir().unwrap();
        File::create(domain.path().join(LIST)).unwrap().write_all(list.as_bytes()).unwrap();
        if !database.is_empty() {
            let file = File::create(domain.path().join(DATABASE)).unwrap();
            let mut writer = CdbWriter::new(file).unwrap();
            for (key, data) in database {
                writer.add(key.as_bytes(), data.as_bytes()).unwrap();
            }
            writer.finish().unwrap();
        }
        domain
    }

    #[test]
    fn a_mailbox_is_found_in_the_database_or_the_list() {
        let list = format!("annie:x:1:0:::\nann:{ANN}\n");
        for domain in [domain(&list, &[]), domain("", &[("ann", ANN)])] {
            let ann = find(domain.path(), b"Ann").unwrap().unwrap();
            assert_eq!(ann.home, Path::new("/v/domains/d/ann"));
            assert_eq!(
                (ann.hash.as_slice(), ann.password.unwrap()),
                (&b"$1$x$y"[..], b"se:cret".to_vec())
            );
            assert!(ann.barred.has(Barred::MAIL) && ann.barred.has(Barred::SMTP));
            assert!(!ann.barred.has(Barred::POP) && !ann.barred.has(Barred::IMAP));
            for other in ["bob", "", "an", "ann:x"] {
                assert_eq!(find(domain.path(), other.as_bytes()).unwrap(), None, "{other}");
            }
        }
    }

    #[test]
    fn quotas_are_read_and_old_lines_have_none() {
        let quota = |data: &str| Mailbox::parse(data.as_bytes()).unwrap().limits();
        assert_eq!(quota(ANN), Limits::parse(b"10485760S,5C"));
        assert_eq!(quota("h:1:0:n:/d:NOQUOTA"), Some(Limits::default()));
        assert_eq!(quota("h:1:0:n:/d"), Some(Limits::default()));
        assert_eq!(quota("h:::n:/d"), Some(Limits::default()));
        assert_eq!(quota("h:1:0:n:/d:lots"), None);
    }

    #[test]
    fn what_makes_no_sense_is_an_error_and_never_nobody() {
        for data in ["", "h:1:0:n:relative", "h:1:x:n:/d", "h:1:0:n"] {
            let domain = domain(&format!("ann:{data}\n"), &[]);
            assert!(find(domain.path(), b"ann").is_err(), "{data}");
        }
        let domain = domain("", &[("ann", ANN)]);
        File::create(domain.path().join(DATABASE)).unwrap().write_all(b"short").unwrap();
        assert!(find(domain.path(), b"ann").is_err());
        let error = find(Path::new("/nonexistent"), b"ann").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
