//! The accounts of a tree, and private copies of the account files.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::files;

/// What is mounted, and over what.
pub(crate) type Mount = (PathBuf, PathBuf);

/// A user and a group id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Identity {
    /// The user.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
}

/// Who the tree's programs run as.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// Owner of the addresses that nobody else has.
    pub alias: Identity,
    /// Network services.
    pub qmaild: Identity,
    /// The logger.
    pub qmaill: Identity,
    /// Looks users up.
    pub qmailp: Identity,
    /// Owns the queue.
    pub qmailq: Identity,
    /// Sends.
    pub qmailr: Identity,
    /// Schedules.
    pub qmails: Identity,
}

/// Test users of a tree with accounts.
pub(crate) const USERS: [(&str, Identity); 3] = [
    ("joe", Identity { uid: 7801, gid: 7801 }),
    ("jane", Identity { uid: 7802, gid: 7802 }),
    ("joe-list", Identity { uid: 7803, gid: 7803 }),
];

/// The password of the test users is `secret`.
const SECRET: &str = "$6$wZyZ1iAeQxHq2V1b$XmWd8VFzALcwYUS4UC0.6Akko.ufMr.cyTKpvCdg7KxxciKqPnPt6UC1SYK6Qf3ijEQ/jqd8IdBhLgsWNZdce1";

impl Accounts {
    /// All the same: a tree that belongs to one user.
    pub(crate) fn all(identity: Identity) -> Self {
        Self {
            alias: identity,
            qmaild: identity,
            qmaill: identity,
            qmailp: identity,
            qmailq: identity,
            qmailr: identity,
            qmails: identity,
        }
    }

    /// By name where the machine has the account, else by what the tree's files belong to, for an
    /// original may have the numbers compiled in.
    pub(crate) fn of_tree(home: &Path) -> Self {
        let qmail = group_of(&home.join("queue")).unwrap_or(7790);
        let nofiles = by_name("qmaild").map_or(7791, |identity| identity.gid);
        let find = |name: &str, owned: &str, uid: u32, gid: u32| {
            by_name(name).unwrap_or_else(|| Identity {
                uid: owner_of(&home.join(owned)).unwrap_or(uid),
                gid,
            })
        };
        Self {
            alias: find("alias", "alias", 7790, nofiles),
            qmaild: find("qmaild", "-", 7791, nofiles),
            qmaill: find("qmaill", "-", 7792, nofiles),
            qmailp: find("qmailp", "-", 7793, nofiles),
            qmailq: find("qmailq", "queue", 7794, qmail),
            qmailr: find("qmailr", "queue/lock/tcpto", 7795, qmail),
            qmails: find("qmails", "queue/info", 7796, qmail),
        }
    }

    fn named(&self) -> [(&'static str, Identity); 7] {
        [
            ("alias", self.alias),
            ("qmaild", self.qmaild),
            ("qmaill", self.qmaill),
            ("qmailp", self.qmailp),
            ("qmailq", self.qmailq),
            ("qmailr", self.qmailr),
            ("qmails", self.qmails),
        ]
    }

    /// The account files and the resolver's, written into `work`, after `mounts`.
    pub(crate) fn mounts(&self, work: &Path, home: &Path, mounts: &[Mount]) -> Vec<Mount> {
        let mut mounts = mounts.to_vec();
        let mut replace = |name: &str, text: String| {
            let file = work.join(name);
            files::write(&file, text);
            let path = Path::new("/etc").join(name);
            mounts.push((file, path.canonicalize().unwrap_or(path)));
        };
        replace("passwd", self.passwd(home, &work.join("home")));
        replace("group", self.group());
        replace("shadow", Self::shadow());
        replace("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n".to_owned());
        mounts
    }

    /// The machine's passwd file, with these accounts and the test users in place of its own.
    fn passwd(&self, home: &Path, homes: &Path) -> String {
        let mut text = without(&fs::read_to_string("/etc/passwd").unwrap_or_default());
        let home = home.display();
        for (name, Identity { uid, gid }) in self.named() {
            let directory = if name == "alias" { "/alias" } else { "" };
            text += &format!("{name}:x:{uid}:{gid}::{home}{directory}:/bin/true\n");
        }
        for (name, Identity { uid, gid }) in USERS {
            text += &format!("{name}:x:{uid}:{gid}::{}:/bin/sh\n", homes.join(name).display());
        }
        text
    }

    /// The machine's group file, with the groups of these accounts.
    fn group(&self) -> String {
        let mut text = without(&fs::read_to_string("/etc/group").unwrap_or_default());
        text += &format!("qmail:x:{}:\n", self.qmailq.gid);
        text += &format!("nofiles:x:{}:\n", self.qmaild.gid);
        for (name, Identity { gid, .. }) in USERS {
            text += &format!("{name}:x:{gid}:\n");
        }
        text
    }

    /// Passwords of the test users; nobody else has one.
    fn shadow() -> String {
        USERS.iter().map(|(name, _)| format!("{name}:{SECRET}:20000:0:99999:7:::\n")).collect()
    }
}

/// The lines of an account file that we do not replace.
fn without(text: &str) -> String {
    let replaced =
        ["alias", "qmaild", "qmaill", "qmailp", "qmailq", "qmailr", "qmails", "qmail", "nofiles"];
    text.lines()
        .filter(|line| {
            let name = line.split(':').next().unwrap_or_default();
            !replaced.contains(&name) && USERS.iter().all(|(user, _)| *user != name)
        })
        .map(|line| format!("{line}\n"))
        .collect()
}

fn by_name(name: &str) -> Option<Identity> {
    let text = fs::read_to_string("/etc/passwd").ok()?;
    let line = text.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    let uid = fields.next()?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Identity { uid, gid })
}

fn owner_of(path: &Path) -> Option<u32> {
    fs::symlink_metadata(path).ok().map(|metadata| metadata.uid()).filter(|uid| *uid != 0)
}

fn group_of(path: &Path) -> Option<u32> {
    fs::symlink_metadata(path).ok().map(|metadata| metadata.gid()).filter(|gid| *gid != 0)
}
