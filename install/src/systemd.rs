//! Accounts and owners as systemd likes to be told of them.

use std::path::Path;

use qmail_core::accounts::{Group, Role};

use crate::accounts::{group_of, home_of};
use crate::layout::rows;
use crate::what::What;

/// The accounts, for systemd-sysusers.
pub(crate) fn sysusers(home: &Path) -> String {
    let groups = Group::ALL.iter().map(|group| format!("g {} - -\n", group.name()));
    let users = Role::ALL.into_iter().filter(|role| *role != Role::Owner).map(|role| {
        let (name, group) = (role.name(), group_of(role).name());
        let home = home_of(role, home);
        format!("u {name} -:{group} \"qmail, {}\" {} /bin/false\n", task(role), home.display())
    });
    "# The accounts of qmail.\n".to_owned() + &groups.chain(users).collect::<String>()
}

const fn task(role: Role) -> &'static str {
    match role {
        Role::Alias => "addresses of nobody else",
        Role::Daemon => "network services",
        Role::Log => "log",
        Role::Owner => "programs",
        Role::Passwd => "looks users up",
        Role::Queue => "queue",
        Role::Remote => "sends to other hosts",
        Role::Send => "schedules",
    }
}

/// Owners and modes, for systemd-tmpfiles.
///
/// The queue is not among them: how it is divided depends on what is there, and systemd-tmpfiles
/// rightly will not go from directories of one unprivileged account into those of another.
pub(crate) fn tmpfiles(home: &Path) -> String {
    let group = Group::Qmail.name();
    let lines = rows().filter(|row| !row.path.starts_with("queue")).filter_map(|row| {
        let action = match row.what {
            What::Directory => "d",
            What::Program
            | What::Boot(_)
            | What::ForwardingBoot(_)
            | What::Text(_)
            | What::Sample(_) => "z",
            What::Ids | What::Zeros(_) | What::Fifo => return None,
        };
        let path = if row.path.is_empty() { home.to_owned() } else { home.join(row.path) };
        let (mode, owner) = (row.mode, row.owner.name());
        Some(format!("{action} {} {mode:04o} {owner} {group} -\n", path.display()))
    });
    "# What belongs to qmail; the queue is made by `install --unpacked`.\n".to_owned()
        + &lines.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_but_root_is_made_with_its_group_and_home() {
        let text = sysusers(Path::new("/var/qmail"));
        assert_eq!(text.lines().filter(|line| line.starts_with("u ")).count(), 7);
        assert!(text.contains("\ng nofiles - -\n"), "{text}");
        let alias = "u alias -:nofiles \"qmail, addresses of nobody else\" \
                     /var/qmail/alias /bin/false\n";
        assert!(text.contains(alias), "{text}");
        assert!(text.contains("u qmailq -:qmail \"qmail, queue\" /var/qmail /bin/false\n"));
        assert!(!text.contains("root"), "{text}");
    }

    #[test]
    fn the_set_id_program_is_set_right_and_the_queue_left_alone() {
        let text = tmpfiles(Path::new("/var/qmail"));
        assert!(text.contains("\nz /var/qmail/bin/qmail-queue 4711 qmailq qmail -\n"), "{text}");
        assert!(text.contains("\nd /var/qmail/alias 2755 alias qmail -\n"), "{text}");
        assert!(text.contains("\nd /var/qmail 0755 root qmail -\n"), "{text}");
        assert!(!text.contains("/var/qmail/queue"), "{text}");
    }
}
