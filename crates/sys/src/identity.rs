//! Who a process is, and becoming somebody else for good.

use std::io;
use std::num::NonZeroU32;

use nix::errno::Errno;
use nix::unistd::{self, getegid, geteuid, getgid, getuid, setgid, setgroups, setuid};

/// A user id other than root's: what deliveries may run as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uid(NonZeroU32);

impl Uid {
    /// `None` for root.
    pub fn new(id: u32) -> Option<Self> {
        NonZeroU32::new(id).map(Self)
    }

    /// The number.
    pub fn as_raw(self) -> u32 {
        self.0.get()
    }
}

/// A group id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gid(pub u32);

/// A user and the only group that he is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub uid: Uid,
    /// The group; supplementary groups are reduced to it.
    pub gid: Gid,
}

/// The proof that this process has given up every privilege of root.
#[derive(Debug)]
pub struct Dropped(());

impl Identity {
    /// Becomes this user and group, and nobody else ever again.
    ///
    /// Root may become anybody. Any other user may only stay who he is: that is how a tree of
    /// his own runs. His groups are left alone then, since he could not change them.
    ///
    /// # Errors
    /// `EPERM` for a user that is neither root nor this one, or if root could be had back.
    pub fn assume(self) -> io::Result<Dropped> {
        match self.change() {
            0 => Ok(Dropped(())),
            errno => Err(io::Error::from_raw_os_error(errno)),
        }
    }

    /// As [`Self::assume`], but only with calls that a forked child may make: errno, or 0.
    pub(crate) fn change(self) -> i32 {
        self.try_change().map_or_else(|errno| errno as i32, |()| 0)
    }

    fn try_change(self) -> Result<(), Errno> {
        let uid = unistd::Uid::from_raw(self.uid.as_raw());
        let gid = unistd::Gid::from_raw(self.gid.0);
        if !geteuid().is_root() {
            let same = geteuid() == uid && getuid() == uid;
            return if same { Ok(()) } else { Err(Errno::EPERM) };
        }
        // Groups before user: after setuid we may not change them.
        set_groups(gid)?;
        set_user(uid)?;
        if (getgid(), getegid()) == (gid, gid) { Ok(()) } else { Err(Errno::EPERM) }
    }
}

/// This group, and no other.
fn set_groups(gid: unistd::Gid) -> Result<(), Errno> {
    setgroups(&[gid])?;
    setgid(gid)
}

/// This user, in all respects, and root never again.
fn set_user(uid: unistd::Uid) -> Result<(), Errno> {
    setuid(uid)?;
    let may_return = setuid(unistd::Uid::from_raw(0)).is_ok();
    let settled = (getuid(), geteuid()) == (uid, uid);
    if settled && !may_return { Ok(()) } else { Err(Errno::EPERM) }
}

/// Has this group and no other from now on, and stays the user who we are.
///
/// # Errors
/// `EPERM` for all but root.
pub fn become_group(gid: Gid) -> io::Result<()> {
    Ok(set_groups(unistd::Gid::from_raw(gid.0))?)
}

/// Becomes this user, and nobody else ever again. The groups stay: see [`become_group`].
///
/// # Errors
/// `EPERM` for a user that is neither root nor this one, or if root could be had back.
pub fn become_user(uid: Uid) -> io::Result<()> {
    Ok(set_user(unistd::Uid::from_raw(uid.as_raw()))?)
}

/// Becomes `gid` with no other group, and stays the user who we are (root keeps being root).
pub(crate) fn change_group(gid: Gid) -> i32 {
    if !geteuid().is_root() {
        return 0;
    }
    set_groups(unistd::Gid::from_raw(gid.0)).map_or_else(|errno| errno as i32, |()| 0)
}

/// The user who started us.
pub fn real_uid() -> u32 {
    getuid().as_raw()
}

/// His group.
pub fn real_gid() -> u32 {
    getgid().as_raw()
}

/// The user whose rights we have.
pub fn effective_uid() -> u32 {
    geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_became_a_user_keeps_his_group_and_is_never_root_again() {
        let child = crate::fork(|| {
            let (Some(uid), true) = (Uid::new(7897), geteuid().is_root()) else { return 0 };
            let changed = become_group(Gid(7898)).is_ok() && become_user(uid).is_ok();
            let ids = (getuid().as_raw(), geteuid().as_raw(), getgid().as_raw());
            let groups = unistd::getgroups().unwrap_or_default();
            let returned = setuid(unistd::Uid::from_raw(0)).is_ok() || become_group(Gid(0)).is_ok();
            let ours = groups == [unistd::Gid::from_raw(7898)];
            u8::from(!changed || ids != (7897, 7897, 7898) || !ours || returned)
        });
        assert_eq!(child.unwrap().wait().unwrap(), crate::Exit::Code(0));
    }

    #[test]
    fn root_is_not_a_user_to_deliver_as() {
        assert_eq!(Uid::new(0), None);
        assert_eq!(Uid::new(7).map(Uid::as_raw), Some(7));
    }
}
