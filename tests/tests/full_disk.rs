//! Deliveries while the disk is full, or the user has used up his share of it: each is tried again
//! later, and nothing is left of it.

use std::fs;
use std::path::PathBuf;

use qmail_conformance::local::Delivery;
use qmail_conformance::maildir::Maildir;
use qmail_conformance::process::Finished;
use qmail_conformance::user::User;
use qmail_conformance::{Need, Tree, files};

/// Fewer than this many calls of one kind make a delivery.
const MOST_CALLS: usize = 60;

/// Where joe's mail goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Maildir,
    MaildirWithQuota,
    Mbox,
    MboxWithDotLock,
}

const TARGETS: [Target; 4] =
    [Target::Maildir, Target::MaildirWithQuota, Target::Mbox, Target::MboxWithDotLock];

impl Target {
    fn is_mbox(self) -> bool {
        matches!(self, Self::Mbox | Self::MboxWithDotLock)
    }

    fn variables(self) -> &'static [(&'static str, &'static str)] {
        if self == Self::MboxWithDotLock { &[("MBOXLOCKS", "dot")] } else { &[] }
    }
}

/// Joe, in whose home is a directory with his mail.
struct Post {
    tree: Tree,
    joe: User,
    target: Target,
}

impl Post {
    fn new(tree: Tree, target: Target) -> Self {
        let joe = tree.user("joe");
        if !joe.home().join("disk").exists() {
            joe.make_directory("disk");
        }
        Self { tree, joe, target }
    }

    /// Nothing but what is there before any mail.
    fn prepare(&self) {
        let disk = self.joe.home().join("disk");
        for name in files::names(&disk) {
            let path = disk.join(name);
            let removed =
                if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            removed.unwrap();
        }
        let line = if self.target.is_mbox() { "./disk/mbox" } else { "./disk/Maildir/" };
        self.joe.write(".qmail", line);
        if self.target.is_mbox() {
            self.joe.write("disk/mbox", "From x\n\nbefore\n\n");
        } else {
            let _ = self.joe.make_maildir("disk/Maildir");
        }
        if self.target == Target::MaildirWithQuota {
            self.joe.write("disk/Maildir/maildirsize", "999999S\n0 0\n");
        }
    }

    fn delivery(&self) -> Delivery {
        let mut delivery = Delivery::to(&self.joe);
        delivery.message = b"Subject: a message that does not fit into one page\n\n".to_vec();
        delivery.message.extend(b"line of text\n".repeat(800));
        delivery
    }

    fn deliver(&self) -> Finished {
        let program = self.tree.local_program(&self.joe, &self.delivery());
        program.envs(self.target.variables()).run()
    }

    /// How many messages have arrived, each of which must be whole.
    fn arrived(&self) -> usize {
        let whole = self.delivery().message;
        if self.target.is_mbox() {
            assert_eq!(files::names(&self.joe.home().join("disk")), ["mbox"], "a lock stays");
            let mbox = files::read(&self.joe.home().join("disk/mbox"));
            let messages = mbox.windows(whole.len()).filter(|part| *part == whole).count();
            let rest = b"From x\n\nbefore\n\n".len();
            // From, Return-Path, Delivered-To and the empty line.
            let each = (mbox.len() - rest).checked_div(messages).unwrap_or(0);
            assert!(messages == 0 || each < whole.len() + 200, "more than whole messages");
            assert!(messages > 0 || mbox.len() == rest, "{} bytes", mbox.len());
            return messages;
        }
        let messages = self.maildir().messages();
        assert!(messages.iter().all(|message| message.ends_with(&whole)), "half a message");
        self.counted_at_most(messages.len());
        messages.len()
    }

    /// A line may be missing until somebody counts; no message is counted twice.
    fn counted_at_most(&self, messages: usize) {
        if self.target != Target::MaildirWithQuota {
            return;
        }
        let sums = self.joe.read("disk/Maildir/maildirsize");
        let numbers = sums.split_whitespace().skip(1).map(|word| word.parse::<i64>().unwrap());
        let numbers: Vec<i64> = numbers.collect();
        let counted: i64 = numbers.iter().skip(1).step_by(2).sum();
        assert!(counted <= i64::try_from(messages).unwrap(), "{sums}");
    }

    fn maildir(&self) -> Maildir {
        Maildir::at(self.joe.home().join("disk/Maildir"))
    }
}

/// Gives joe's mail a disk of its own, of so many pages and files.
fn small_disk(post: &Post, pages: usize, nodes: usize) {
    let script = format!(
        "umount \"$1\" 2>/dev/null || :; \
         mount -t tmpfs -o size={},nr_inodes={nodes},mode=777 tmpfs \"$1\"",
        pages * 4096
    );
    let disk = post.joe.home().join("disk");
    let done = post.tree.command("/bin/sh").args(["-ec", &script, "sh"]).arg(disk).run();
    assert_eq!(done.code, Some(0), "{}", done.said());
}

impl Post {
    /// In the world of the tree, where the small disk is.
    fn in_world(&self, script: &str) -> String {
        let program = self.tree.command("/bin/sh").args(["-ec", script]);
        let done = program.in_directory(self.joe.home().join("disk")).run();
        assert_eq!(done.code, Some(0), "{script}: {}", done.said());
        done.text()
    }
}

#[test]
fn on_a_disk_without_room_a_message_waits_until_there_is_some() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) {
        return;
    }
    let post = Post::new(tree, Target::Maildir);
    let size = post.delivery().message.len();
    let make = "mkdir -m 777 Maildir Maildir/tmp Maildir/new Maildir/cur; : > mbox; chmod 666 mbox";
    let count = "cat Maildir/new/* mbox | grep -c '^line of text' || :; ls Maildir/tmp";
    // What a program leaves to qmail-local is the same for all.
    let program = post.tree.home().join("bin/deliverquota");
    let deliverquota = format!("|{} ./disk/Maildir", program.display());
    let mut lines = vec!["./disk/Maildir/", "./disk/mbox"];
    if !post.tree.is_original() {
        lines.push(&deliverquota);
    }
    for line in lines {
        let mut codes = Vec::new();
        // From no page at all to more than the message needs, and one file short.
        for (pages, nodes) in (0..=size / 4096 + 2).map(|pages| (pages, 100)).chain([(50, 7)]) {
            small_disk(&post, pages + 1, nodes);
            post.joe.write(".qmail", line);
            post.in_world(make);
            post.in_world("head -c 4096 /dev/zero > filling");
            let finished = post.deliver();
            codes.push(finished.code);
            let expected = if finished.code == Some(0) { "800\n" } else { "0\n" };
            assert_eq!(post.in_world(count), expected, "{line} {pages} {}", finished.said());
            if finished.code != Some(0) {
                assert_eq!(finished.code, Some(111), "{line} {pages} {}", finished.said());
                post.in_world("rm filling; mount -o remount,size=1m,nr_inodes=100 tmpfs .");
                let again = post.deliver();
                assert_eq!(again.code, Some(0), "{line} {pages} {}", again.said());
                assert_eq!(post.in_world(count), "800\n");
            }
        }
        assert!(codes.contains(&Some(0)) && codes.contains(&Some(111)), "{codes:?}");
    }
}

/// A copy of qmail-local that joe may trace.
fn traceable(tree: &Tree) -> PathBuf {
    let copy = tree.scratch().join("qmail-local");
    fs::copy(tree.path("bin").join("qmail-local"), &copy).unwrap();
    files::set_mode(&copy, 0o755);
    copy
}

#[test]
fn whichever_call_fails_a_message_arrives_whole_or_waits() {
    let mut tree = Some(Tree::under_test());
    for target in TARGETS {
        let tree = tree.take().unwrap_or_else(Tree::under_test);
        if tree.lacks(Need::Tool("strace")) || tree.is_original() {
            return;
        }
        let post = Post::new(tree, target);
        let program = traceable(&post.tree);
        for error in ["ENOSPC", "EDQUOT"] {
            for call in ["write", "open,openat", "link,linkat", "fsync,fdatasync", "pwrite64"] {
                let failed = fail_each(&post, &program, call, error);
                let must_fail = matches!(call, "write" | "open,openat" | "fsync,fdatasync");
                assert!(failed > 0 || !must_fail, "{target:?}: {call} never failed");
            }
        }
    }
}

/// Has each call of this kind fail in turn; how many failed before the message had arrived.
fn fail_each(post: &Post, program: &PathBuf, call: &str, error: &str) -> usize {
    let mut failed = 0;
    for number in 1..=MOST_CALLS {
        post.prepare();
        let trace = post.tree.scratch().join("trace");
        let _ = fs::remove_file(&trace);
        let inject = format!("inject={call}:error={error}:when={number}");
        let words = post.tree.local_program(&post.joe, &post.delivery());
        let message = fs::File::open(post.tree.scratch().join("message")).unwrap();
        let finished = post
            .tree
            .command("strace")
            .args(["-o".into(), trace.clone().into_os_string()])
            .args(["-e", "trace=file,desc", "-e", &inject])
            .arg(program)
            .args(words.words().iter().skip(1).cloned())
            .envs(post.target.variables())
            .run_as(post.joe.identity())
            .stdin_from(message)
            .run();
        let trace = fs::read_to_string(&trace).unwrap_or_default();
        if !trace.contains("(INJECTED)") {
            assert_eq!((finished.code, post.arrived()), (Some(0), 1), "{}", finished.said());
            return failed;
        }
        // The loader of programs, before the first of our own steps.
        if finished.code == Some(127) {
            continue;
        }
        let what = format!("{:?} {call} {number} {error}: {}", post.target, finished.said());
        match finished.code {
            Some(0) => assert_eq!(post.arrived(), 1, "{what}"),
            Some(111) => {
                failed += 1;
                assert_eq!(post.arrived(), 0, "{what}");
                if !post.target.is_mbox() {
                    assert!(post.maildir().names("tmp").is_empty(), "{what}");
                }
                assert_eq!(post.deliver().code, Some(0), "{what}");
                assert_eq!(post.arrived(), 1, "{what}");
            }
            code => panic!("{what}: exit {code:?}"),
        }
    }
    panic!("{call} is called more than {MOST_CALLS} times");
}
