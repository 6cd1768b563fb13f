//! The accounts that qmail's processes run as.
//!
//! Their names are those of `install/conf-users` and `install/conf-groups`. Their numbers come from
//! `users/ids`, which `install` writes, so that static programs need no name service; a tree
//! without that file (netqmail's) has local accounts, and they are read from `/etc/passwd` and
//! `/etc/group`.
//!
//! `users/ids` has a line for each account, `user NAME UID GID HOME`, and for each group,
//! `group NAME GID`.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use qmail_sys::{Gid, Identity, Uid};

const USERS: &str = include_str!("../../../install/conf-users");
const GROUPS: &str = include_str!("../../../install/conf-groups");

/// What an account is for; the order is that of `conf-users`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Owns the instructions for addresses that belong to nobody.
    Alias,
    /// Runs the network services.
    Daemon,
    /// Runs the logger.
    Log,
    /// Owns the programs.
    Owner,
    /// Runs qmail-getpw.
    Passwd,
    /// Owns messages; runs qmail-queue and qmail-clean.
    Queue,
    /// Runs qmail-rspawn and qmail-remote.
    Remote,
    /// Runs qmail-send and qmail-todo.
    Send,
}

impl Role {
    /// Every role, in the order of `conf-users`.
    pub const ALL: [Self; 8] = [
        Self::Alias,
        Self::Daemon,
        Self::Log,
        Self::Owner,
        Self::Passwd,
        Self::Queue,
        Self::Remote,
        Self::Send,
    ];

    /// The name of its account.
    pub fn name(self) -> &'static str {
        line(USERS, self as usize)
    }
}

/// What a group is for; the order is that of `conf-groups`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Reads the queue.
    Qmail,
    /// Owns no file at all.
    NoFiles,
}

impl Group {
    /// Both of them, in the order of `conf-groups`.
    pub const ALL: [Self; 2] = [Self::Qmail, Self::NoFiles];

    /// Its name.
    pub fn name(self) -> &'static str {
        line(GROUPS, self as usize)
    }
}

/// An account's numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// User id.
    pub uid: u32,
    /// Id of its own group.
    pub gid: u32,
    /// Home directory.
    pub home: PathBuf,
}

/// Every account and group of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts {
    users: [Account; 8],
    groups: [u32; 2],
}

/// Why the accounts of a tree are not known.
#[derive(Debug)]
pub enum AccountsError {
    /// A file could not be read.
    Read(PathBuf, io::Error),
    /// There is no such user.
    NoUser(&'static str),
    /// There is no such group.
    NoGroup(&'static str),
}

impl fmt::Display for AccountsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, error) => {
                write!(
                    formatter,
                    "unable to read {}: {}",
                    path.display(),
                    crate::errno::text(error)
                )
            }
            Self::NoUser(name) => write!(formatter, "unable to find user {name}"),
            Self::NoGroup(name) => write!(formatter, "unable to find group {name}"),
        }
    }
}

impl std::error::Error for AccountsError {}

impl Accounts {
    /// Reads `users/ids` below `home`, or the local accounts if there is none.
    pub fn load(home: &Path) -> Result<Self, AccountsError> {
        match read(&home.join("users/ids")) {
            Ok(ids) => Self::from_ids(&ids),
            Err(AccountsError::Read(_, error)) if error.kind() == io::ErrorKind::NotFound => {
                Self::local()
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the accounts of this host.
    pub fn local() -> Result<Self, AccountsError> {
        let passwd = read(Path::new("/etc/passwd"))?;
        let group = read(Path::new("/etc/group"))?;
        Self::find(
            |name| passwd.lines().find_map(|line| passwd_entry(line, name)),
            |name| group.lines().find_map(|line| group_entry(line, name)),
        )
    }

    /// Parses the contents of `users/ids`.
    pub fn from_ids(ids: &str) -> Result<Self, AccountsError> {
        Self::find(
            |name| ids.lines().find_map(|line| ids_user(line, name)),
            |name| ids.lines().find_map(|line| ids_group(line, name)),
        )
    }

    /// A tree that belongs to one user in every role.
    pub fn single_user(uid: u32, gid: u32, home: &Path) -> Self {
        let account = Account { uid, gid, home: home.to_owned() };
        let mut users = std::array::from_fn(|_| account.clone());
        if let Some(alias) = users.first_mut() {
            alias.home = home.join("alias");
        }
        Self { users, groups: [gid; 2] }
    }

    /// The contents of `users/ids`.
    pub fn to_ids(&self) -> String {
        let users = Role::ALL.iter().map(|role| {
            let account = self.user(*role);
            let (uid, gid, home) = (account.uid, account.gid, account.home.display());
            format!("user {} {uid} {gid} {home}\n", role.name())
        });
        let groups = Group::ALL
            .iter()
            .map(|group| format!("group {} {}\n", group.name(), self.group(*group).0));
        users.chain(groups).collect()
    }

    /// The account for a role.
    pub fn user(&self, role: Role) -> &Account {
        let [alias, daemon, log, owner, passwd, queue, remote, send] = &self.users;
        match role {
            Role::Alias => alias,
            Role::Daemon => daemon,
            Role::Log => log,
            Role::Owner => owner,
            Role::Passwd => passwd,
            Role::Queue => queue,
            Role::Remote => remote,
            Role::Send => send,
        }
    }

    /// A group's id.
    pub fn group(&self, group: Group) -> Gid {
        let [qmail, no_files] = self.groups;
        Gid(match group {
            Group::Qmail => qmail,
            Group::NoFiles => no_files,
        })
    }

    /// What a process of this role and group runs as; `None` where that would be root.
    pub fn identity(&self, role: Role, group: Group) -> Option<Identity> {
        Some(Identity { uid: Uid::new(self.user(role).uid)?, gid: self.group(group) })
    }

    fn find(
        user: impl Fn(&str) -> Option<Account>,
        group: impl Fn(&str) -> Option<u32>,
    ) -> Result<Self, AccountsError> {
        let user = |role: Role| user(role.name()).ok_or(AccountsError::NoUser(role.name()));
        let group = |role: Group| group(role.name()).ok_or(AccountsError::NoGroup(role.name()));
        Ok(Self {
            users: [
                user(Role::Alias)?,
                user(Role::Daemon)?,
                user(Role::Log)?,
                user(Role::Owner)?,
                user(Role::Passwd)?,
                user(Role::Queue)?,
                user(Role::Remote)?,
                user(Role::Send)?,
            ],
            groups: [group(Group::Qmail)?, group(Group::NoFiles)?],
        })
    }
}

fn line(file: &'static str, number: usize) -> &'static str {
    file.lines().nth(number).unwrap_or_default()
}

fn read(path: &Path) -> Result<String, AccountsError> {
    let bytes = fs::read(path).map_err(|error| AccountsError::Read(path.to_owned(), error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn passwd_entry(line: &str, name: &str) -> Option<Account> {
    let mut fields = line.split(':');
    if fields.next()? != name {
        return None;
    }
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Account { uid, gid, home: fields.nth(1)?.into() })
}

fn group_entry(line: &str, name: &str) -> Option<u32> {
    let mut fields = line.split(':');
    if fields.next()? != name {
        return None;
    }
    fields.nth(1)?.parse().ok()
}

fn ids_user(line: &str, name: &str) -> Option<Account> {
    let mut fields =
        line.strip_prefix("user ")?.strip_prefix(name)?.strip_prefix(' ')?.splitn(3, ' ');
    let uid = fields.next()?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Account { uid, gid, home: fields.next()?.into() })
}

fn ids_group(line: &str, name: &str) -> Option<u32> {
    line.strip_prefix("group ")?.strip_prefix(name)?.strip_prefix(' ')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        let mut accounts = Accounts::single_user(1000, 100, Path::new("/tmp/a tree"));
        accounts.users[2].uid = 7;
        assert_eq!(Accounts::from_ids(&accounts.to_ids()).unwrap(), accounts);
    }

    #[test]
    fn a_missing_account_is_named() {
        let ids = "user alias 1 2 /var/qmail/alias\n";
        let error = Accounts::from_ids(ids).unwrap_err();
        assert_eq!(error.to_string(), "unable to find user qmaild");
    }

    #[test]
    fn local_files_are_understood() {
        let line = "qmailq:x:64011:64010:a comment:/var/qmail:/bin/false";
        let account = Account { uid: 64011, gid: 64010, home: "/var/qmail".into() };
        assert_eq!(passwd_entry(line, "qmailq"), Some(account));
        assert_eq!(passwd_entry(line, "qmail"), None);
        assert_eq!(group_entry("qmail:x:64010:", "qmail"), Some(64010));
    }
}
