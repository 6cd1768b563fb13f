//! Giving up what a set-id bit has given.

use std::io;

use nix::unistd::{getegid, geteuid, getgid, getuid, setresgid, setresuid};

/// Becomes whoever started us, for good.
///
/// # Errors
/// `EPERM` if what was given could be had back.
pub fn give_up_set_id() -> io::Result<()> {
    let (uid, gid) = (getuid(), getgid());
    let given = geteuid();
    // Group before user: after setresuid we may not change it.
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)?;
    let regained = given != uid && !uid.is_root() && nix::unistd::seteuid(given).is_ok();
    let settled = (geteuid(), getegid()) == (uid, gid);
    if settled && !regained { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::EPERM)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exit, fork};

    #[test]
    fn what_is_given_up_cannot_be_had_back() {
        let child = fork(|| {
            // As a set-id program of root's that somebody else has started.
            if getuid().is_root() {
                let other = nix::unistd::Uid::from_raw(7898);
                if nix::unistd::setresuid(other, geteuid(), geteuid()).is_err() {
                    return 2;
                }
            }
            let uid = getuid();
            let dropped = give_up_set_id().is_ok();
            u8::from(
                !dropped
                    || geteuid() != uid
                    || nix::unistd::seteuid(nix::unistd::Uid::from_raw(0)).is_ok(),
            )
        });
        assert_eq!(child.unwrap().wait().unwrap(), Exit::Code(0));
    }
}
