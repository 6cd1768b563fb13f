//! Users as the C library knows them, whichever name service has them.
//!
//! A static program crashes here as soon as a name service is a loadable module, so only programs
//! that are linked dynamically may turn this feature on.

use std::ffi::CString;
use std::io;
use std::path::PathBuf;

use nix::unistd::{getegid, geteuid, getgid, getuid};

/// An account: a line of passwd(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: Vec<u8>,
    /// The password as crypt(3) leaves it; `x` where the shadow file has it.
    pub password: Vec<u8>,
    /// User id.
    pub uid: u32,
    /// Id of its own group.
    pub gid: u32,
    /// Home directory.
    pub home: PathBuf,
    /// Shell.
    pub shell: PathBuf,
}

impl User {
    /// The user of this name; `None` if there is none.
    ///
    /// # Errors
    /// If a name service cannot tell.
    pub fn find(name: &[u8]) -> io::Result<Option<Self>> {
        // No service has names that are not text.
        let Ok(name) = std::str::from_utf8(name) else { return Ok(None) };
        let found = nix::unistd::User::from_name(name)?;
        Ok(found.map(|user| Self {
            name: user.name.into_bytes(),
            password: user.passwd.into_bytes(),
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
            home: user.dir,
            shell: user.shell,
        }))
    }

    /// Makes this process that user's, with all the groups that he is in, for good.
    ///
    /// A process that is not root's may only stay who it is, with the groups that it has.
    ///
    /// # Errors
    /// `EPERM` for root himself, for another user than the present one, or if root could be had
    /// back afterwards.
    pub fn assume(&self) -> io::Result<()> {
        let (uid, gid) =
            (nix::unistd::Uid::from_raw(self.uid), nix::unistd::Gid::from_raw(self.gid));
        if uid.is_root() {
            return Err(not_permitted());
        }
        if !geteuid().is_root() {
            return if (getuid(), geteuid()) == (uid, uid) { Ok(()) } else { Err(not_permitted()) };
        }
        let name = CString::new(self.name.clone())?;
        // Groups before user: after setuid we may not change them.
        nix::unistd::initgroups(&name, gid)?;
        nix::unistd::setgid(gid)?;
        nix::unistd::setuid(uid)?;
        let regained = nix::unistd::setuid(nix::unistd::Uid::from_raw(0)).is_ok();
        let settled = (getuid(), geteuid(), getgid(), getegid()) == (uid, uid, gid, gid);
        if regained || !settled { Err(not_permitted()) } else { Ok(()) }
    }
}

fn not_permitted() -> io::Error {
    io::Error::from_raw_os_error(libc::EPERM)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exit, fork};

    #[test]
    fn root_is_found_and_nobody_of_a_strange_name() {
        let root = User::find(b"root").unwrap().unwrap();
        assert_eq!((root.uid, root.name.as_slice()), (0, b"root".as_slice()));
        for name in [b"no such user".as_slice(), b"\xff\xfe", b"", b"root\0x"] {
            assert_eq!(User::find(name).unwrap(), None, "{name:?}");
        }
    }

    #[test]
    fn nobody_becomes_root() {
        let root = User::find(b"root").unwrap().unwrap();
        assert_eq!(root.assume().unwrap_err().raw_os_error(), Some(libc::EPERM));
    }

    #[test]
    fn who_has_become_a_user_cannot_go_back() {
        let root = geteuid().is_root();
        let (uid, gid) = if root { (7899, 7899) } else { (getuid().as_raw(), getgid().as_raw()) };
        let user = User {
            name: b"nobody-of-this-name".to_vec(),
            password: Vec::new(),
            uid,
            gid,
            home: "/".into(),
            shell: "/bin/sh".into(),
        };
        let child = fork(|| {
            let other = User { uid: uid + 1, ..user.clone() };
            if user.assume().is_err() || getuid().as_raw() != uid || getegid().as_raw() != gid {
                return 1;
            }
            u8::from(other.assume().is_ok())
        });
        assert_eq!(child.unwrap().wait().unwrap(), Exit::Code(0));
    }
}
