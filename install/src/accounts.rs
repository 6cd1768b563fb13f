//! The accounts of this host: finding them in every name service, and making those that are
//! missing.

use std::path::Path;
use std::process::Command;

use qmail_core::accounts::{Accounts, Group, Role};
use qmail_sys::{User, group_id};

use crate::Failure;

/// Every account and group as the name services of this host know them.
pub(crate) fn of_this_host() -> Result<Accounts, Failure> {
    let mut ids = String::new();
    for role in Role::ALL {
        if let Some(user) = find_user(role)? {
            let (uid, gid, home) = (user.uid, user.gid, user.home.display());
            ids.push_str(&format!("user {} {uid} {gid} {home}\n", role.name()));
        }
    }
    for group in Group::ALL {
        if let Some(gid) = find_group(group)? {
            ids.push_str(&format!("group {} {gid}\n", group.name()));
        }
    }
    Ok(Accounts::from_ids(&ids)?)
}

/// Makes the groups and users that are missing.
pub(crate) fn create_missing(home: &Path, tell: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    for group in Group::ALL {
        if find_group(group)?.is_none() {
            run(&["groupadd", "--system", group.name()], tell)?;
        }
    }
    for role in Role::ALL {
        if role != Role::Owner && find_user(role)?.is_none() {
            let words = creation(role, home);
            run(&words.iter().map(String::as_str).collect::<Vec<_>>(), tell)?;
        }
    }
    Ok(())
}

/// The command that makes a user who cannot log in.
fn creation(role: Role, home: &Path) -> Vec<String> {
    let group = match role {
        Role::Queue | Role::Remote | Role::Send => Group::Qmail,
        Role::Alias | Role::Daemon | Role::Log | Role::Owner | Role::Passwd => Group::NoFiles,
    };
    let home = if role == Role::Alias { home.join("alias") } else { home.to_owned() };
    let home = home.to_string_lossy();
    let words = ["useradd", "--system", "--no-create-home", "--gid", group.name(), "--home-dir"];
    words
        .into_iter()
        .chain([&*home, "--shell", "/bin/false", role.name()])
        .map(Into::into)
        .collect()
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
