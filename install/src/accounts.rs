//! The accounts of this host: finding them in every name service, and making those that are
//! missing.

use std::path::{Path, PathBuf};
use std::process::Command;

use qmail_core::accounts::{Accounts, Group, Role};
use qmail_sys::{User, group_id};

use crate::Failure;

/// Every account and group as the name services of this host know them.
pub(crate) fn of_this_host() -> Result<Accounts, Failure> {
    Ok(Accounts::from_ids(&ids(|_| None)?)?)
}

/// Makes the groups and users that are missing.
pub(crate) fn create_missing(home: &Path, tell: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    for missing in missing(home)? {
        let words: Vec<&str> = missing.command.iter().map(String::as_str).collect();
        run(&words, tell)?;
    }
    Ok(())
}

/// A group or user that this host does not have.
#[derive(Clone, Debug)]
pub(crate) struct Missing {
    /// Its name.
    pub(crate) name: &'static str,
    /// What makes it.
    pub(crate) command: Vec<String>,
}

/// The groups and users that this host does not have, in the order in which they can be made.
pub(crate) fn missing(home: &Path) -> Result<Vec<Missing>, Failure> {
    let mut missing = Vec::new();
    for group in Group::ALL {
        if find_group(group)?.is_none() {
            let command = ["groupadd", "--system", group.name()].map(str::to_owned).into();
            missing.push(Missing { name: group.name(), command });
        }
    }
    for role in Role::ALL {
        if role != Role::Owner && find_user(role)?.is_none() {
            missing.push(Missing { name: role.name(), command: creation(role, home) });
        }
    }
    Ok(missing)
}

/// As [`of_this_host`], where those that are missing have numbers that nobody has.
pub(crate) fn with_stand_ins(missing: &[Missing]) -> Result<Accounts, Failure> {
    // The last number but one is nobody's: the last one means "no change" to chown(2).
    let stand_in = |name| {
        let place = missing.iter().position(|missing| missing.name == name)?;
        Some(u32::MAX - 1 - u32::try_from(place).ok()?)
    };
    Ok(Accounts::from_ids(&ids(stand_in)?)?)
}

/// The lines of `users/ids`, as far as accounts are known or there are stand-ins for them.
fn ids(stand_in: impl Fn(&'static str) -> Option<u32>) -> Result<String, Failure> {
    let mut ids = String::new();
    for role in Role::ALL {
        let name = role.name();
        if let Some(user) = find_user(role)? {
            let (uid, gid, home) = (user.uid, user.gid, user.home.display());
            ids.push_str(&format!("user {name} {uid} {gid} {home}\n"));
        } else if let Some(number) = stand_in(name) {
            ids.push_str(&format!("user {name} {number} {number} /\n"));
        }
    }
    for group in Group::ALL {
        if let Some(gid) = find_group(group)?.or_else(|| stand_in(group.name())) {
            ids.push_str(&format!("group {} {gid}\n", group.name()));
        }
    }
    Ok(ids)
}

/// The command that makes a user who cannot log in.
fn creation(role: Role, home: &Path) -> Vec<String> {
    let home = home_of(role, home);
    let home = home.to_string_lossy();
    let group = group_of(role).name();
    let words = ["useradd", "--system", "--no-create-home", "--gid", group, "--home-dir"];
    words
        .into_iter()
        .chain([&*home, "--shell", "/bin/false", role.name()])
        .map(Into::into)
        .collect()
}

/// The group of an account of its own.
pub(crate) fn group_of(role: Role) -> Group {
    match role {
        Role::Queue | Role::Remote | Role::Send => Group::Qmail,
        Role::Alias | Role::Daemon | Role::Log | Role::Owner | Role::Passwd => Group::NoFiles,
    }
}

/// The home directory of an account, for a tree at `home`.
pub(crate) fn home_of(role: Role, home: &Path) -> PathBuf {
    if role == Role::Alias { home.join("alias") } else { home.to_owned() }
}

fn run(words: &[&str], tell: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    let line = words.join(" ");
    tell(&format!("install: {line}"));
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    match Command::new(program).args(arguments).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) | Err(_) => Err(Failure::Command(line)),
    }
}

fn find_user(role: Role) -> Result<Option<User>, Failure> {
    let find = User::find(role.name().as_bytes());
    find.map_err(Failure::unable("look up user", Path::new(role.name())))
}

fn find_group(group: Group) -> Result<Option<u32>, Failure> {
    group_id(group.name()).map_err(Failure::unable("look up group", Path::new(group.name())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_users_have_the_group_of_their_role_and_cannot_log_in() {
        let line = |role| creation(role, Path::new("/var/qmail")).join(" ");
        let common = "useradd --system --no-create-home --gid";
        assert_eq!(
            line(Role::Alias),
            format!("{common} nofiles --home-dir /var/qmail/alias --shell /bin/false alias")
        );
        assert_eq!(
            line(Role::Queue),
            format!("{common} qmail --home-dir /var/qmail --shell /bin/false qmailq")
        );
    }
}
