//! The accounts of this host, whichever name service has them.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use qmail_core::accounts::{self, Role};
use qmail_core::errno;
use qmail_sys::{User, effective_uid};

use crate::failure::Failure;
use crate::owner::{Account, Accounts};

/// Where an account is found if everything else is out of order.
const PASSWD: &str = "/etc/passwd";

/// The accounts of this host.
#[derive(Debug)]
pub struct Host {
    /// In a single-user tree: its user, as the one for addresses that belong to nobody. He is the
    /// only one who gets mail, and there need be no account for him.
    only: Option<Account>,
}

impl Host {
    /// As seen by the tree at `home`.
    pub fn of_tree(home: &Path) -> Self {
        // Without such a file the accounts are those of the host.
        let accounts = accounts::Accounts::load(home).ok();
        Self { only: accounts.and_then(|accounts| only_user(&accounts, effective_uid(), home)) }
    }
}

/// The alias of a tree where every role is `caller`'s, who is not root.
fn only_user(accounts: &accounts::Accounts, caller: u32, tree: &Path) -> Option<Account> {
    let is_caller = |role: &Role| accounts.user(*role).uid == caller;
    if caller == 0 || !Role::ALL.iter().all(is_caller) {
        return None;
    }
    // Not the directory that was noted at installation: he may have moved or copied the tree.
    let gid = accounts.user(Role::Alias).gid;
    let here = accounts::Accounts::single_user(caller, gid, tree);
    let accounts::Account { uid, gid, home } = here.user(Role::Alias).clone();
    Some(Account { name: Role::Alias.name().into(), uid, gid, home })
}

impl Accounts for Host {
    fn find(&self, name: &[u8]) -> Result<Option<Account>, Failure> {
        match User::find(name) {
            Ok(Some(user)) => Ok(Some(account(user))),
            // The C library says so, too, where it could not open or read the file.
            Ok(None) if is_listed(Path::new(PASSWD), name)? => Err(Failure::System),
            Ok(None) => Ok(None),
            // Only what may pass: there are systems that call everything else "not found".
            Err(error) if errno::is_temporary(&error) => Err(Failure::System),
            Err(_) => Ok(None),
        }
    }

    fn may_have_mail(&self, account: &Account) -> Result<bool, Failure> {
        let is_his = self.only.as_ref().is_none_or(|only| only.uid == account.uid);
        if account.uid == 0 || !is_his {
            return Ok(false);
        }
        match owner_of(&account.home) {
            Ok(owner) => Ok(owner == account.uid),
            Err(error) if errno::is_temporary(&error) => Err(Failure::HomeServer),
            Err(_) => Ok(false),
        }
    }

    fn alias(&self) -> Result<Account, Failure> {
        match &self.only {
            Some(only) => Ok(only.clone()),
            None => self.find(Role::Alias.name().as_bytes())?.ok_or(Failure::NoAlias),
        }
    }
}

fn account(user: User) -> Account {
    let User { name, uid, gid, home, .. } = user;
    Account { name, uid, gid, home }
}

/// Whether a file of accounts has this one.
fn is_listed(file: &Path, name: &[u8]) -> Result<bool, Failure> {
    let accounts = match fs::read(file) {
        Ok(accounts) => accounts,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(_) => return Err(Failure::System),
    };
    let mut lines = accounts.split(|byte| *byte == b'\n');
    Ok(lines.any(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(b":"))))
}

fn owner_of(directory: &Path) -> io::Result<u32> {
    Ok(fs::metadata(directory)?.uid())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERYBODY: Host = Host { only: None };

    #[test]
    fn accounts_of_this_host_are_found() {
        let root = EVERYBODY.find(b"root").unwrap().unwrap();
        assert_eq!((root.name.as_slice(), root.uid), (b"root".as_slice(), 0));
        for name in [b"no such user".as_slice(), b"", b"\xff", b"../x", b"a:b"] {
            assert_eq!(EVERYBODY.find(name), Ok(None), "{name:?}");
        }
    }

    #[test]
    fn an_account_that_is_in_the_file_is_not_unknown() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("passwd");
        assert_eq!(is_listed(&file, b"joe"), Ok(false));
        let mut passwd = fs::File::create(&file).unwrap();
        std::io::Write::write_all(&mut passwd, b"joe:x:1:1::/:/bin/sh\njane:x:2:2::/:\n").unwrap();
        for (name, expected) in [("joe", true), ("jane", true), ("jo", false), ("x", false)] {
            assert_eq!(is_listed(&file, name.as_bytes()), Ok(expected), "{name}");
        }
        assert_eq!(is_listed(directory.path(), b"joe"), Err(Failure::System));
    }

    #[test]
    fn only_who_owns_his_home_has_mail_and_never_root() {
        let home = tempfile::tempdir().unwrap();
        let owner = owner_of(home.path()).unwrap();
        let account = |uid, home: &Path| Account { name: vec![], uid, gid: 1, home: home.into() };
        assert_eq!(EVERYBODY.may_have_mail(&account(owner, home.path())), Ok(owner != 0));
        assert_eq!(EVERYBODY.may_have_mail(&account(0, Path::new("/"))), Ok(false));
        assert_eq!(EVERYBODY.may_have_mail(&account(owner + 1, home.path())), Ok(false));
        let missing = home.path().join("missing");
        assert_eq!(EVERYBODY.may_have_mail(&account(owner + 1, &missing)), Ok(false));
    }

    #[test]
    fn a_tree_of_one_user_delivers_to_him_only() {
        let accounts = accounts::Accounts::single_user(1000, 100, Path::new("/home/joe/q"));
        let only = only_user(&accounts, 1000, Path::new("/moved")).unwrap();
        assert_eq!(
            (only.uid, only.gid, only.home.as_path()),
            (1000, 100, Path::new("/moved/alias"))
        );
        assert_eq!(only_user(&accounts, 1001, Path::new("/")), None);
        let root = accounts::Accounts::single_user(0, 0, Path::new("/"));
        assert_eq!(only_user(&root, 0, Path::new("/")), None);
        let host = Host { only: Some(only.clone()) };
        assert_eq!(host.alias(), Ok(only));
        let home = tempfile::tempdir().unwrap();
        let uid = owner_of(home.path()).unwrap();
        let other = Account { name: vec![], uid, gid: 1, home: home.path().into() };
        assert_eq!(host.may_have_mail(&other), Ok(uid == 1000));
    }
}
