//! Who called qmail-queue, and the Received line that says so.

use qmail_core::accounts::{Accounts, Role};
use qmail_core::queue::Unique;
use qmail_message::date;

/// Who called qmail-queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invoker {
    /// The alias user: mail that was forwarded.
    Alias,
    /// A network service.
    Network,
    /// qmail-send.
    Bounce,
    /// Somebody, by his user id.
    User(u32),
}

impl Invoker {
    /// Who the real user `uid` is. Where the accounts are not known, or all the same as in a tree
    /// of one user, he is just that user.
    pub fn of(uid: u32, accounts: Option<&Accounts>) -> Self {
        let Some(accounts) = accounts else { return Self::User(uid) };
        let is = |role| accounts.user(role).uid == uid;
        match (is(Role::Alias), is(Role::Daemon), is(Role::Send)) {
            (true, true, true) => Self::User(uid),
            (true, ..) => Self::Alias,
            (_, true, _) => Self::Network,
            (.., true) => Self::Bounce,
            _ => Self::User(uid),
        }
    }

    /// The first line of the message.
    pub(crate) fn received(self, unique: Unique) -> String {
        let who = match self {
            Self::Alias => "by alias".to_owned(),
            Self::Network => "from network".to_owned(),
            Self::Bounce => "for bounce".to_owned(),
            Self::User(uid) => format!("by uid {uid}"),
        };
        let date = date::rfc5322(unique.time);
        format!("Received: (qmail {} invoked {who}); {date}\n", unique.process)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn roles_are_told_by_the_real_user() {
        let names = "alias qmaild qmaill root qmailp qmailq qmailr qmails".split(' ').zip(0..);
        let mut ids: String = names.map(|(name, id)| format!("user {name} {id} 9 /\n")).collect();
        ids.push_str("group qmail 9\ngroup nofiles 9\n");
        let accounts = Accounts::from_ids(&ids).unwrap();
        assert_eq!(Invoker::of(0, Some(&accounts)), Invoker::Alias);
        assert_eq!(Invoker::of(1, Some(&accounts)), Invoker::Network);
        assert_eq!(Invoker::of(7, Some(&accounts)), Invoker::Bounce);
        assert_eq!(Invoker::of(5, Some(&accounts)), Invoker::User(5));
    }

    #[test]
    fn in_a_tree_of_one_user_he_is_just_that() {
        let accounts = Accounts::single_user(5, 5, Path::new("/"));
        assert_eq!(Invoker::of(5, Some(&accounts)), Invoker::User(5));
        assert_eq!(Invoker::of(5, None), Invoker::User(5));
    }
}
