//! Where a tree is and whom it belongs to.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use qmail_core::accounts::{Accounts, Role};

use crate::item::Item;
use crate::{Failure, accounts};

/// A tree, to be made or to be checked.
#[derive(Clone, Debug)]
pub struct Place {
    /// The home of qmail.
    pub(crate) home: PathBuf,
    /// Who owns what.
    pub(crate) accounts: Accounts,
    /// Whether `users/ids` is not what the accounts are now.
    pub(crate) outdated_ids: bool,
}

impl Place {
    /// A place to install at. For root, accounts that are missing are made, and each command that
    /// does so is told to `tell`; for others the tree is their own in every role.
    ///
    /// # Errors
    /// If accounts cannot be found or made, or the tree is somebody else's.
    pub fn prepared(home: PathBuf, tell: &mut dyn FnMut(&str)) -> Result<Self, Failure> {
        let accounts = if qmail_sys::effective_uid() == 0 {
            accounts::create_missing(&home, tell)?;
            accounts::of_this_host()?
        } else {
            of_caller(&home)?
        };
        Ok(Self { home, accounts, outdated_ids: false })
    }

    /// A tree that is there. It is judged by `users/ids`, which is what its programs go by.
    ///
    /// # Errors
    /// If it has no such file, and this host lacks accounts.
    pub fn existing(home: PathBuf) -> Result<Self, Failure> {
        let ids = home.join("users/ids");
        match std::fs::symlink_metadata(&ids) {
            Ok(_) => {
                let accounts = Accounts::load(&home)?;
                let outdated_ids = !is_single_user(&accounts)
                    && accounts::of_this_host().ok().as_ref() != Some(&accounts);
                Ok(Self { home, accounts, outdated_ids })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Self { home, accounts: accounts::of_this_host()?, outdated_ids: false })
            }
            Err(error) => Err(Failure::Unable("read", ids, error)),
        }
    }

    /// What the administrator should know before he starts the tree.
    pub fn warnings(&self) -> Vec<String> {
        let built_in = qmail_core::home::built_in();
        if is_single_user(&self.accounts) || self.home == built_in {
            return Vec::new();
        }
        let (home, built_in) = (self.home.display(), built_in.display());
        vec![format!(
            "install: warning: qmail-queue is set-id and will use {built_in}, not {home}: \
             set conf-qmail and build again"
        )]
    }

    /// Where an item of the tree is.
    pub(crate) fn path(&self, item: &Item) -> PathBuf {
        // Joining nothing would leave a slash at the end.
        if item.path.is_empty() { self.home.clone() } else { self.home.join(&item.path) }
    }

    /// Whether no program needs to become another user.
    pub(crate) fn is_single_user(&self) -> bool {
        is_single_user(&self.accounts)
    }
}

/// The accounts of a tree that is all the caller's, who is not root.
///
/// # Errors
/// If what is there is not his.
pub(crate) fn of_caller(home: &Path) -> Result<Accounts, Failure> {
    let own = qmail_sys::real_uid();
    match std::fs::metadata(home) {
        Ok(metadata) if metadata.uid() != own => Err(Failure::Unexpected(
            home.to_owned(),
            "is somebody else's: only root can take it, and QMAILHOME names a tree of one's own",
        )),
        Ok(_) | Err(_) => Ok(Accounts::single_user(own, qmail_sys::real_gid(), home)),
    }
}

fn is_single_user(accounts: &Accounts) -> bool {
    let owner = accounts.user(Role::Owner).uid;
    owner != 0 && Role::ALL.iter().all(|role| accounts.user(*role).uid == owner)
}
