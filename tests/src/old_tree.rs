//! A tree as netqmail leaves it on disk, to be taken over by ours and given back.

use std::env;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::sys::stat::Mode;
use nix::unistd::{geteuid, mkfifo};

use crate::accounts::{Accounts, Identity};
use crate::process::Finished;
use crate::{Need, Tree, files, ours};

/// How a queue is divided.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Layout {
    /// Number of parts.
    pub split: u64,
    /// Whether `todo` and `intd` are in parts, too (big-todo).
    pub hashed: bool,
}

impl Layout {
    /// What netqmail has unless it is told otherwise.
    pub const NETQMAIL: Self = Self { split: 23, hashed: false };
}

/// The programs that netqmail 1.06 installs.
pub const PROGRAMS: [&str; 44] = [
    "bouncesaying",
    "condredirect",
    "datemail",
    "elq",
    "except",
    "forward",
    "maildir2mbox",
    "maildirmake",
    "maildirwatch",
    "mailsubj",
    "pinq",
    "predate",
    "preline",
    "qail",
    "qbiff",
    "qmail-clean",
    "qmail-getpw",
    "qmail-inject",
    "qmail-local",
    "qmail-lspawn",
    "qmail-newmrh",
    "qmail-newu",
    "qmail-pop3d",
    "qmail-popup",
    "qmail-pw2u",
    "qmail-qmqpc",
    "qmail-qmqpd",
    "qmail-qmtpd",
    "qmail-qread",
    "qmail-qstat",
    "qmail-queue",
    "qmail-remote",
    "qmail-rspawn",
    "qmail-send",
    "qmail-showctl",
    "qmail-smtpd",
    "qmail-start",
    "qmail-tcpok",
    "qmail-tcpto",
    "qreceipt",
    "qsmhook",
    "sendmail",
    "splogger",
    "tcp-env",
];

/// The tree whose programs are the original's, as `QMAIL_ORIGINAL` names it.
#[must_use]
pub fn original() -> Option<PathBuf> {
    env::var_os("QMAIL_ORIGINAL").map(PathBuf::from)
}

impl Tree {
    /// A tree of netqmail's, with its own programs if [`original`] has some, and with ones that do
    /// nothing for an hour if not. None without root.
    #[must_use]
    pub fn old(layout: Layout) -> Option<Self> {
        if !geteuid().is_root() {
            let _ = Self::under_test().lacks(Need::Root);
            return None;
        }
        let model = original();
        let accounts = Accounts::of_tree(model.as_deref().unwrap_or(Path::new("/nowhere")));
        let maker = Maker { accounts: accounts.clone(), layout };
        Some(Self::made(ours::configured_home(), accounts, |home| {
            maker.make(home, model.as_deref())
        }))
    }

    /// Runs our `install` over the tree.
    #[must_use]
    pub fn install(&self, words: &[&str]) -> Finished {
        self.command(ours::build().join("install")).args(words.iter().copied()).run()
    }

    /// Puts one of our programs into the tree, in the way of `install`.
    pub fn put_ours(&self, name: &str) {
        self.put(name, &ours::build().join(name));
    }

    /// Puts one of the original's programs into the tree.
    ///
    /// # Panics
    ///
    /// When there is no original.
    pub fn put_original(&self, name: &str) {
        self.put(name, &original().expect("QMAIL_ORIGINAL").join("bin").join(name));
    }

    /// By rename: the old one may be running.
    fn put(&self, name: &str, source: &Path) {
        let target = self.path("").join("bin").join(name);
        let new = target.with_extension("new");
        fs::copy(source, &new).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
        let (owner, mode) = match name {
            "qmail-queue" => (self.accounts().qmailq.uid, 0o4711),
            "qmail-start" | "qmail-lspawn" => (0, 0o700),
            _ => (0, 0o755),
        };
        own(&new, Identity { uid: owner, gid: self.accounts().qmailq.gid }, mode);
        fs::rename(&new, &target).expect("the tree is ours");
    }

    /// The queue, to put messages into that another qmail was busy with.
    #[must_use]
    pub fn old_queue(&self, layout: Layout) -> OldQueue<'_> {
        OldQueue { tree: self, layout }
    }
}

/// Makes the directories and files of a tree.
struct Maker {
    accounts: Accounts,
    layout: Layout,
}

impl Maker {
    fn make(&self, home: &Path, model: Option<&Path>) {
        let (qmail, root) = (self.accounts.qmailq.gid, 0);
        let in_qmail = |uid| Identity { uid, gid: qmail };
        own(home, in_qmail(root), 0o755);
        for part in ["bin", "boot", "control", "doc", "man", "man/man1", "users"] {
            directory(&home.join(part), in_qmail(root), 0o755);
        }
        directory(&home.join("alias"), in_qmail(self.accounts.alias.uid), 0o2755);
        self.queue(&home.join("queue"));
        for program in PROGRAMS {
            let (file, target) = (
                model.map(|model| model.join("bin").join(program)),
                home.join("bin").join(program),
            );
            match file.filter(|file| file.exists()) {
                Some(file) => drop(fs::copy(file, &target).expect("a program can be copied")),
                None => drop(fs::copy("/bin/sleep", &target).expect("sleep can be copied")),
            }
            let (owner, mode) = match program {
                "qmail-queue" => (self.accounts.qmailq.uid, 0o4711),
                "qmail-start" | "qmail-lspawn" | "qmail-newu" | "qmail-newmrh" => (root, 0o700),
                _ => (root, 0o755),
            };
            own(&target, in_qmail(owner), mode);
        }
    }

    /// See queue.md, section 1.
    fn queue(&self, queue: &Path) {
        let group = self.accounts.qmailq.gid;
        let (q, s) = (self.accounts.qmailq.uid, self.accounts.qmails.uid);
        let Layout { split, hashed } = self.layout;
        for (part, uid, mode, is_split) in [
            ("", q, 0o750, false),
            ("pid", q, 0o700, false),
            ("intd", q, 0o700, hashed),
            ("todo", q, 0o750, hashed),
            ("bounce", s, 0o700, false),
            ("mess", q, 0o750, true),
            ("info", s, 0o700, true),
            ("local", s, 0o700, true),
            ("remote", s, 0o700, true),
            ("lock", q, 0o750, false),
        ] {
            let identity = Identity { uid, gid: group };
            directory(&queue.join(part), identity, mode);
            for number in (0..split).filter(|_| is_split) {
                directory(&queue.join(part).join(number.to_string()), identity, mode);
            }
        }
        let lock = queue.join("lock");
        files::write(&lock.join("sendmutex"), "");
        own(&lock.join("sendmutex"), Identity { uid: s, gid: group }, 0o600);
        files::write(&lock.join("tcpto"), [0; 1024]);
        own(&lock.join("tcpto"), Identity { uid: self.accounts.qmailr.uid, gid: group }, 0o644);
        mkfifo(&lock.join("trigger"), Mode::S_IRWXU).expect("a fresh directory has room");
        own(&lock.join("trigger"), Identity { uid: s, gid: group }, 0o622);
    }
}

/// A queue that netqmail was busy with: see queue.md, sections 3 and 4.
pub struct OldQueue<'tree> {
    tree: &'tree Tree,
    layout: Layout,
}

impl OldQueue<'_> {
    /// A message as qmail-queue leaves it in `mess`; its number.
    ///
    /// # Panics
    ///
    /// When the queue cannot be written to.
    #[must_use]
    pub fn message(&self, text: &str) -> u64 {
        let temporary = self.tree.path("queue/pid/1.2.3");
        let received = "Received: (qmail 77 invoked by uid 7802); 1 Jan 2024 00:00:00 -0000\n";
        files::write(&temporary, [received, text].concat());
        let gid = self.tree.user("jane").identity().gid;
        own(&temporary, Identity { uid: self.tree.accounts().qmailq.uid, gid }, 0o644);
        let number = fs::metadata(&temporary).expect("it was just written").ino();
        fs::rename(&temporary, self.file("mess", number)).expect("the queue is divided like this");
        number
    }

    /// An envelope that waits in `todo`, and, unless a crash came between, in `intd`.
    pub fn envelope(&self, number: u64, sender: &str, recipients: &[&str]) {
        let intd = self.file("intd", number);
        let mut text = format!("u7802\0p77\0F{sender}\0");
        text.extend(recipients.iter().map(|recipient| format!("T{recipient}\0")));
        files::write(&intd, text);
        let gid = self.tree.user("jane").identity().gid;
        own(&intd, Identity { uid: self.tree.accounts().qmailq.uid, gid }, 0o644);
        fs::hard_link(&intd, self.file("todo", number)).expect("both are there");
    }

    /// A file of qmail-send's in `info`, `local`, `remote` or `bounce`.
    pub fn write(&self, part: &str, number: u64, content: &str) {
        let file = self.file(part, number);
        files::write(&file, content);
        let qmails = self.tree.accounts().qmails;
        own(&file, Identity { uid: qmails.uid, gid: self.tree.accounts().qmailq.gid }, 0o600);
    }

    /// A message that has been preprocessed a while ago.
    #[must_use]
    pub fn preprocessed(&self, text: &str, sender: &str, local: &str, remote: &str) -> u64 {
        let number = self.message(text);
        self.write("info", number, &format!("F{sender}\0"));
        for (part, records) in [("local", local), ("remote", remote)] {
            if !records.is_empty() {
                self.write(part, number, records);
            }
        }
        let ago = SystemTime::now() - Duration::from_secs(1000);
        files::set_times(&self.file("info", number), ago);
        number
    }

    /// Where a file of a message is.
    #[must_use]
    pub fn file(&self, part: &str, number: u64) -> PathBuf {
        let is_split = match part {
            "todo" | "intd" => self.layout.hashed,
            "bounce" => false,
            _ => true,
        };
        let directory = self.tree.path("queue").join(part);
        let bucket =
            if is_split { (number % self.layout.split).to_string() } else { String::new() };
        directory.join(bucket).join(number.to_string())
    }
}

fn directory(path: &Path, identity: Identity, mode: u32) {
    DirBuilder::new()
        .mode(0o700)
        .create(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    own(path, identity, mode);
}

/// Owner before mode: a change of owner takes set-id bits away.
fn own(path: &Path, Identity { uid, gid }: Identity, mode: u32) {
    chown(path, Some(uid), Some(gid)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    files::set_mode(path, mode);
}
