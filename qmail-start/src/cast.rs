//! Who plays which part.

use qmail_core::accounts::{Accounts, Group, Role};
use qmail_sys::{Gid, Identity};

use crate::Failure;

/// What each daemon runs as. qmail-lspawn keeps our user: it has to become any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cast {
    /// The logger.
    pub(crate) log: Identity,
    /// qmail-rspawn.
    pub(crate) remote: Identity,
    /// Both of qmail-clean.
    pub(crate) queue: Identity,
    /// qmail-send and qmail-todo.
    pub(crate) send: Identity,
    /// The only group of qmail-lspawn.
    pub(crate) group: Gid,
}

impl Cast {
    /// The parts as the user `caller` may give them: root as the accounts say, and anybody else
    /// if they all say him.
    pub(crate) fn of(accounts: &Accounts, caller: u32) -> Result<Self, Failure> {
        let identity = |role, group| accounts.identity(role, group).ok_or(Failure::Root);
        let cast = Self {
            log: identity(Role::Log, Group::NoFiles)?,
            remote: identity(Role::Remote, Group::Qmail)?,
            queue: identity(Role::Queue, Group::Qmail)?,
            send: identity(Role::Send, Group::Qmail)?,
            group: accounts.group(Group::Qmail),
        };
        let everybody = [cast.log, cast.remote, cast.queue, cast.send];
        let is_caller = |identity: Identity| identity.uid.as_raw() == caller;
        if caller == 0 || everybody.into_iter().all(is_caller) {
            Ok(cast)
        } else {
            Err(Failure::NotPermitted)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn accounts(uid: u32) -> Accounts {
        Accounts::single_user(uid, 100, Path::new("/home/joe/qmail"))
    }

    #[test]
    fn root_may_give_all_parts_and_a_user_his_own_only() {
        assert!(Cast::of(&accounts(1000), 0).is_ok());
        assert!(Cast::of(&accounts(1000), 1000).is_ok());
        assert!(matches!(Cast::of(&accounts(1000), 1001), Err(Failure::NotPermitted)));
    }

    #[test]
    fn nobody_plays_root() {
        assert!(matches!(Cast::of(&accounts(0), 0), Err(Failure::Root)));
    }

    #[test]
    fn the_logger_has_the_group_without_files() {
        let ids = Accounts::from_ids(
            "user alias 1 20 /a\nuser qmaild 2 20 /\nuser qmaill 3 20 /\nuser root 0 0 /\n\
             user qmailp 4 20 /\nuser qmailq 5 10 /\nuser qmailr 6 10 /\nuser qmails 7 10 /\n\
             group qmail 10\ngroup nofiles 20\n",
        );
        let cast = Cast::of(&ids.unwrap(), 0).unwrap();
        let of = |identity: Identity| (identity.uid.as_raw(), identity.gid.0);
        assert_eq!([cast.log, cast.remote, cast.queue].map(of), [(3, 20), (6, 10), (5, 10)]);
        assert_eq!((of(cast.send), cast.group), ((7, 10), Gid(10)));
    }
}
