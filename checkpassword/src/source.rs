//! Where passwords are.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path};

use qmail_login::Failure;
use qmail_login::password::is_usable;
use qmail_sys::{Shadow, User};

/// What stands in place of a password that the shadow file has.
const IN_SHADOW: &[u8] = b"x";
const SHADOW: &str = "/etc/shadow";
/// Where nobody but root makes files.
const OF_ROOT: &str = "/etc";
/// More than any file with passwords.
const LARGEST: u64 = 64 << 20;

/// Where passwords are.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// Where this host has them.
    System,
    /// In a file, in one of the forms that `in_line` knows.
    File(&'a Path),
}

/// What a source has for a name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The account.
    pub(crate) user: Option<User>,
    /// The hash, unless the account has none or has expired.
    pub(crate) stored: Option<Vec<u8>>,
    /// The hash of somebody, which costs as much as most others here do.
    pub(crate) another: Option<Vec<u8>>,
}

impl Source<'_> {
    /// Looks a name up. `today` is counted from 1970.
    pub(crate) fn find(self, login: &[u8], today: u64) -> Result<Found, Failure> {
        match self {
            Self::System => {
                let user = system_user(login)?;
                let stored = match &user {
                    Some(user) => system_password(user, today)?,
                    None => None,
                };
                Ok(Found { user, stored, another: any_shadow_hash() })
            }
            Self::File(path) => {
                let text = protected(path)?;
                let (user, stored) = match in_file(&text, login, today) {
                    Some(Line { user: Some(user), stored }) => (Some(user), stored),
                    Some(Line { user: None, stored }) => (system_user(login)?, stored),
                    None => (None, None),
                };
                Ok(Found { user, stored, another: any_hash(text) })
            }
        }
    }
}

fn system_user(login: &[u8]) -> Result<Option<User>, Failure> {
    User::find(login).map_err(|_| Failure::Temporary)
}

fn system_password(user: &User, today: u64) -> Result<Option<Vec<u8>>, Failure> {
    if user.password != IN_SHADOW {
        return Ok(Some(user.password.clone()));
    }
    let entry = Shadow::find(&user.name).map_err(|_| Failure::Temporary)?;
    Ok(entry.filter(|entry| !has_expired(entry.expires, today)).map(|entry| entry.password))
}

/// See shadow(5): 0 would lock an account for ever, and means nothing.
fn has_expired(expires: Option<u64>, today: u64) -> bool {
    expires.is_some_and(|day| day > 0 && today >= day)
}

/// What a line of a file says.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    /// `None`: the account of the system.
    user: Option<User>,
    stored: Option<Vec<u8>>,
}

fn in_file(text: &[u8], login: &[u8], today: u64) -> Option<Line> {
    let mut lines = text.split(|byte| *byte == b'\n');
    lines.find_map(|line| in_line(line, login, today))
}

/// `login:hash`; or a line of passwd(5), with a hash in it; or one of shadow(5).
fn in_line(line: &[u8], login: &[u8], today: u64) -> Option<Line> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
    let (name, hash) = (*fields.first()?, *fields.get(1)?);
    if name != login || login.is_empty() {
        return None;
    }
    let stored = Some(hash.to_vec());
    match *fields.as_slice() {
        [_, _] => Some(Line { user: None, stored }),
        [_, _, uid, gid, _, home, shell] => {
            let user = User {
                name: name.to_vec(),
                password: hash.to_vec(),
                uid: number(uid)?,
                gid: number(gid)?,
                home: path(home),
                shell: path(shell),
            };
            Some(Line { user: Some(user), stored })
        }
        [_, _, _, _, _, _, _, expires, _] => {
            let stored = stored.filter(|_| !has_expired(number(expires).map(u64::from), today));
            Some(Line { user: None, stored })
        }
        _ => None,
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn path(bytes: &[u8]) -> std::path::PathBuf {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    OsStr::from_bytes(bytes).into()
}

fn any_shadow_hash() -> Option<Vec<u8>> {
    File::open(SHADOW).and_then(contents).ok().and_then(any_hash)
}

/// The last hash in a file that belongs to a password.
fn any_hash(text: Vec<u8>) -> Option<Vec<u8>> {
    let mut hashes = text.split(|byte| *byte == b'\n').filter_map(hash_in);
    hashes.next_back().map(<[u8]>::to_vec)
}

fn hash_in(line: &[u8]) -> Option<&[u8]> {
    line.split(|byte| *byte == b':').nth(1).filter(|hash| is_usable(hash))
}

/// The contents of a file that nobody reads who need not, and that says who may become whom only
/// if that is root's word.
///
/// Whoever starts a set-id program chooses the file. That it is root's does not make its contents
/// root's word: `/proc/self/environ` is, and so is root's mailbox.
fn protected(path: &Path) -> Result<Vec<u8>, Failure> {
    let is_set_id = qmail_sys::secure_execution();
    if is_set_id && !is_made_by_root(path) {
        return Err(Failure::Exposed);
    }
    let links = if is_set_id { qmail_sys::OPEN_NOFOLLOW } else { 0 };
    let flags = qmail_sys::OPEN_NONBLOCKING | links;
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|_| Failure::Temporary)?;
    // Of the file that is read: another one may have its name by now.
    let metadata = file.metadata().map_err(|_| Failure::Temporary)?;
    if !is_trusted(&metadata, is_set_id) {
        return Err(Failure::Exposed);
    }
    contents(file).map_err(|_| Failure::Temporary)
}

fn is_made_by_root(path: &Path) -> bool {
    let leads_back = path.components().any(|part| part == Component::ParentDir);
    path.starts_with(OF_ROOT) && !leads_back
}

fn is_trusted(metadata: &Metadata, is_set_id: bool) -> bool {
    let readable_by_everybody = metadata.mode() & 0o004 != 0;
    let of_others = metadata.uid() != 0 || metadata.mode() & 0o022 != 0;
    metadata.is_file() && !readable_by_everybody && !(is_set_id && of_others)
}

fn contents(file: File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.take(LARGEST).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

    fn user(password: &[u8]) -> User {
        User {
            name: b"nobody of this name".to_vec(),
            password: password.to_vec(),
            uid: 7801,
            gid: 7801,
            home: "/".into(),
            shell: "/bin/sh".into(),
        }
    }

    #[test]
    fn a_hash_beside_the_name_counts_where_there_is_no_shadow() {
        assert_eq!(system_password(&user(b"$6$a$b"), 0), Ok(Some(b"$6$a$b".to_vec())));
        let hidden = system_password(&user(b"x"), 0);
        assert!(matches!(hidden, Ok(None) | Err(Failure::Temporary)), "{hidden:?}");
    }

    #[test]
    fn only_hashes_that_belong_to_a_password_are_found() {
        assert_eq!(hash_in(b"joe:$6$a$b:19000:0:99999:7:::"), Some(b"$6$a$b".as_slice()));
        for line in [b"joe:*:1:".as_slice(), b"joe:!$6$a$b:1:", b"joe::1:", b"joe", b""] {
            assert_eq!(hash_in(line), None, "{line:?}");
        }
    }

    #[test]
    fn an_account_may_be_used_until_the_day_it_expires() {
        assert!(!has_expired(Some(20_000), 19_999));
        assert!(has_expired(Some(20_000), 20_000));
        assert!(!has_expired(Some(0), 20_000));
        assert!(!has_expired(None, 20_000));
    }

    #[test]
    fn a_line_has_two_seven_or_nine_fields() {
        let stored = |line: &[u8]| in_line(line, b"joe", 100).and_then(|line| line.stored);
        assert_eq!(stored(b"joe:HASH"), Some(b"HASH".to_vec()));
        assert_eq!(stored(b"joe:HASH:19000:0:99999:7:::"), Some(b"HASH".to_vec()));
        assert_eq!(stored(b"joe:HASH:19000:0:99999:7::99:"), None);
        for line in [b"jo:HASH".as_slice(), b"joe", b"joe:HASH:1", b"joe:H:x:5:::", b"", b":HASH"] {
            assert_eq!(in_line(line, b"joe", 100), None, "{line:?}");
        }
        assert_eq!(in_line(b":HASH", b"", 0), None);
        let line = in_line(b"joe:HASH:7001:7002:Joe:/home/joe:/bin/sh", b"joe", 0).unwrap();
        let user = line.user.unwrap();
        assert_eq!((user.uid, user.gid, user.home.to_str()), (7001, 7002, Some("/home/joe")));
    }

    #[test]
    fn a_file_that_everybody_reads_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("passwords");
        let mut options = File::options();
        let mut file = options.create(true).write(true).mode(0o600).open(&path).unwrap();
        file.write_all(b"joe:$6$a$b:7001:7001::/:/bin/sh\njane:$6$c$d\n").unwrap();
        let found = Source::File(&path).find(b"joe", 0).unwrap();
        assert_eq!(found.user.unwrap().uid, 7001);
        assert_eq!(
            (found.stored, found.another),
            (Some(b"$6$a$b".to_vec()), Some(b"$6$c$d".to_vec()))
        );
        let none = Source::File(&path).find(b"jim", 0).unwrap();
        assert_eq!((none.user, none.stored), (None, None));
        file.set_permissions(std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Source::File(&path).find(b"joe", 0), Err(Failure::Exposed));
        assert_eq!(Source::File(directory.path()).find(b"joe", 0), Err(Failure::Exposed));
        let missing = directory.path().join("missing");
        assert_eq!(Source::File(&missing).find(b"joe", 0), Err(Failure::Temporary));
    }

    #[test]
    fn a_set_id_program_reads_only_what_root_has_made() {
        for path in ["/etc/passwords", "/etc/mail/passwords"] {
            assert!(is_made_by_root(Path::new(path)), "{path}");
        }
        let others =
            ["/proc/self/environ", "/etc/../proc/self/environ", "/etcetera/x", "etc/x", ""];
        for path in others {
            assert!(!is_made_by_root(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn a_set_id_program_takes_the_word_of_root_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("passwords");
        let mode = |mode| {
            let mut options = File::options();
            let file = options.create(true).write(true).truncate(true).open(&path).unwrap();
            file.set_permissions(std::fs::Permissions::from_mode(mode)).unwrap();
            path.metadata().unwrap()
        };
        assert!(is_trusted(&mode(0o620), false));
        assert!(!is_trusted(&mode(0o620), true));
        assert_eq!(is_trusted(&mode(0o640), true), qmail_sys::effective_uid() == 0);
    }
}
