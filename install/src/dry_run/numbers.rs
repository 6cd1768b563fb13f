//! The numbers that the programs and the files of an old tree have for its accounts.

use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use qmail_core::accounts::{Accounts, Group, Role};
use qmail_core::timed::Timed;

use crate::Place;
use crate::accounts::Missing;
use crate::findings::Findings;

/// More than an old qmail-showctl says before it comes to control files.
const ENOUGH: u64 = 4096;
const PATIENCE: Duration = Duration::from_secs(10);

/// Compares the numbers of an old tree with those of this host.
pub(super) fn look(place: &Place, missing: &[Missing], findings: &mut Findings) {
    // With this file a tree is ours, and nothing is compiled in.
    if place.is_single_user() || place.home.join("users/ids").exists() {
        return;
    }
    let old = compiled_in(&place.home).unwrap_or_else(|| of_files(&place.home));
    for (name, old) in old.named() {
        let now = number_of(&place.accounts, name);
        let kind =
            if Group::ALL.iter().any(|group| group.name() == name) { "group" } else { "user" };
        if missing.iter().any(|missing| missing.name == name) {
            findings.warn(format!(
                "there is no {kind} {name}, and this tree has {old} for it: make it with this \
                 number first, or mail in the queue would belong to somebody else"
            ));
        } else if now != Some(old) {
            findings.warn(format!(
                "this tree has {old} for {kind} {name}, which is {} on this host: mail in the \
                 queue would belong to somebody else",
                now.map_or_else(|| "nothing".to_owned(), |now| now.to_string())
            ));
        }
    }
}

fn number_of(accounts: &Accounts, name: &str) -> Option<u32> {
    let user = Role::ALL.into_iter().find(|role| role.name() == name);
    let group = Group::ALL.into_iter().find(|group| group.name() == name);
    user.map(|role| accounts.user(role).uid).or(group.map(|group| accounts.group(group).0))
}

/// What is known of the numbers of a tree.
#[derive(Debug, Default, PartialEq, Eq)]
struct Numbers {
    users: Vec<(Role, u32)>,
    groups: Vec<(Group, u32)>,
}

impl Numbers {
    fn named(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let users = self.users.iter().map(|(role, number)| (role.name(), *number));
        users.chain(self.groups.iter().map(|(group, number)| (group.name(), *number)))
    }
}

/// What the programs say: qmail-showctl has the same numbers compiled in as the others. It only
/// reads, and only belongs to root where that can be run safely.
fn compiled_in(home: &Path) -> Option<Numbers> {
    let program = home.join("bin/qmail-showctl");
    let metadata = fs::metadata(&program).ok()?;
    let is_safe = metadata.uid() == 0 && metadata.mode() & 0o022 == 0;
    is_safe.then(|| said_by(&program)).flatten().and_then(|report| parse(&report))
}

fn said_by(program: &Path) -> Option<String> {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let mut said = Vec::new();
    if let Some(output) = child.stdout.take() {
        let output = Timed::new(OwnedFd::from(output), PATIENCE);
        let _ = output.take(ENOUGH).read_to_end(&mut said);
    }
    let _ = child.kill();
    let _ = child.wait();
    Some(String::from_utf8_lossy(&said).into_owned())
}

/// The groups are in another order than in `conf-groups`.
fn parse(report: &str) -> Option<Numbers> {
    let line = |start| report.lines().find_map(|line: &str| line.strip_prefix(start));
    let numbers = |line: &str| -> Vec<u32> {
        let words = line.trim_end_matches('.').split(", ");
        words.map_while(|word| word.parse().ok()).collect()
    };
    let users = numbers(line("user ids: ")?);
    let groups = numbers(line("group ids: ")?);
    let is_whole = users.len() == Role::ALL.len() && groups.len() == Group::ALL.len();
    is_whole.then(|| Numbers {
        users: Role::ALL.into_iter().zip(users).collect(),
        groups: [Group::NoFiles, Group::Qmail].into_iter().zip(groups).collect(),
    })
}

/// What the files say, where there is nobody to ask.
fn of_files(home: &Path) -> Numbers {
    let owner = |path: &str| fs::metadata(home.join(path)).ok().map(|metadata| metadata.uid());
    let roles = [
        (Role::Alias, "alias"),
        (Role::Queue, "queue/mess"),
        (Role::Remote, "queue/lock/tcpto"),
        (Role::Send, "queue/info"),
    ];
    let group = fs::metadata(home.join("queue/mess")).ok().map(|metadata| metadata.gid());
    Numbers {
        users: roles.into_iter().filter_map(|(role, path)| Some((role, owner(path)?))).collect(),
        groups: group.map(|number| (Group::Qmail, number)).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "qmail home directory: /var/qmail.\nuser-ext delimiter: -.\n\
        user ids: 7790, 7791, 7792, 0, 7793, 7794, 7795, 7796.\ngroup ids: 2108, 2107.\n\nme: x\n";

    #[test]
    fn the_numbers_are_in_the_report_of_the_old_program() {
        let numbers = parse(REPORT).unwrap();
        let named: Vec<_> = numbers.named().collect();
        assert!(named.contains(&("qmailq", 7794)) && named.contains(&("qmails", 7796)));
        assert!(named.contains(&("qmail", 2107)) && named.contains(&("nofiles", 2108)));
    }

    #[test]
    fn half_a_report_tells_nothing() {
        assert_eq!(parse("user ids: 1, 2.\ngroup ids: 3, 4.\n"), None);
        assert_eq!(parse(&REPORT.replace("group ids", "groups")), None);
        assert_eq!(parse(""), None);
    }
}
