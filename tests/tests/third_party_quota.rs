//! Quotas, kept by us and by Courier and Dovecot in one Maildir: they count the same, and decide
//! the same.

use std::fs;

use qmail_conformance::local::Delivery;
use qmail_conformance::maildir::Maildir;
use qmail_conformance::process::Finished;
use qmail_conformance::user::User;
use qmail_conformance::{Need, Tree, files};

const COURIER_DELIVERS: &str = "deliverquota.maildrop";
const COURIER_COUNTS: &str = "maildirmake.maildrop";
const LINES: &str = "Return-Path: <sender@far.example>\nDelivered-To: joe@test.example\n";

/// Joe, with a Maildir that everybody uses.
struct Post {
    tree: Tree,
    joe: User,
    quota: &'static str,
}

impl Post {
    fn new(quota: &'static str) -> Option<Self> {
        let tree = Tree::among_others("usr/sbin/deliverquota.maildrop")?;
        if tree.lacks(Need::Program("deliverquota")) {
            return None;
        }
        let joe = tree.user("joe");
        joe.write(".qmail", "./Maildir/\n");
        let _ = joe.make_maildir("Maildir");
        let post = Self { tree, joe, quota };
        post.ours_counts();
        Some(post)
    }

    fn run(&self, name: &str, words: &[&str], input: &[u8]) -> Finished {
        // From a file: Courier looks at its size.
        self.joe.write("input", input);
        let input = fs::File::open(self.joe.home().join("input")).unwrap();
        let program = self.tree.command(name).args(words.iter().copied()).stdin_from(input);
        let program = program.run_as(self.joe.identity()).in_directory(self.joe.home());
        program.env("HOME", self.joe.home()).env("USER", "joe").run()
    }

    fn ours_delivers(&self, bytes: usize) -> bool {
        let mut delivery = Delivery::to(&self.joe);
        delivery.message = message(bytes - LINES.len());
        let finished = self.tree.deliver(&self.joe, &delivery);
        assert!(matches!(finished.code, Some(0 | 100)), "{}", finished.said());
        finished.code == Some(0)
    }

    fn courier_delivers(&self, bytes: usize) -> bool {
        let finished = self.run(COURIER_DELIVERS, &["./Maildir"], &message(bytes));
        assert!(matches!(finished.code, Some(0 | 77)), "{}", finished.said());
        finished.code == Some(0)
    }

    fn ours_counts(&self) -> (i64, i64) {
        let ours = self.tree.home().join("bin/maildirmake");
        let words = ["-q", self.quota, "./Maildir"];
        let finished = self.run(ours.to_str().unwrap(), &words, b"");
        assert_eq!(finished.code, Some(0), "{}", finished.said());
        self.sums()
    }

    fn courier_counts(&self) -> (i64, i64) {
        let finished = self.run(COURIER_COUNTS, &["-q", self.quota, "./Maildir"], b"");
        assert_eq!(finished.code, Some(0), "{}", finished.said());
        self.sums()
    }

    /// Dovecot knows the quota only in its own words.
    fn dovecot(&self, words: &[&str], input: &[u8]) -> String {
        let bytes = self.quota.split('S').next().unwrap();
        let configuration = format!(
            "mail_location = maildir:~/Maildir\nlog_path = /dev/stderr\nmail_plugins = quota\n\
             listen = 127.0.0.1\nssl = no\nplugin {{\n  quota = maildir:User quota\n  \
             quota_rule = *:bytes={bytes}\n  quota_rule2 = Trash:ignore\n}}\n"
        );
        self.tree.write_in_its_world("/etc/dovecot/dovecot.conf", configuration);
        let finished = self.run("doveadm", words, input);
        assert_eq!(finished.code, Some(0), "{words:?}: {}", finished.said());
        finished.text()
    }

    /// What Dovecot has in the file after it has counted.
    fn dovecot_counts(&self) -> (i64, i64) {
        self.dovecot(&["quota", "recalc"], b"");
        self.sums()
    }

    fn sums(&self) -> (i64, i64) {
        let text = self.joe.read("Maildir/maildirsize");
        let (quota, lines) = text.split_once('\n').unwrap();
        assert_eq!(quota, self.quota);
        let numbers = lines.split_whitespace().map(|word| word.parse::<i64>().unwrap());
        let numbers: Vec<i64> = numbers.collect();
        let sum = |from: usize| numbers.iter().skip(from).step_by(2).sum();
        (sum(0), sum(1))
    }

    /// The messages themselves.
    fn truth(&self) -> (i64, i64) {
        let mut truth = (0, 0);
        for folder in ["Maildir", "Maildir/.Drafts"] {
            for part in ["new", "cur"] {
                let directory = self.joe.home().join(folder).join(part);
                if !directory.exists() {
                    continue;
                }
                for name in files::names(&directory) {
                    let size = fs::metadata(directory.join(name)).unwrap().len();
                    truth = (truth.0 + i64::try_from(size).unwrap(), truth.1 + 1);
                }
            }
        }
        truth
    }
}

fn message(bytes: usize) -> Vec<u8> {
    let mut message = b"Subject: size\nFrom: a@b.example\n\n".to_vec();
    message.resize(bytes - 1, b'x');
    message.push(b'\n');
    message
}

/// Sizes that look as if they came by chance, and are the same each time.
fn sizes(count: usize, seed: u64) -> Vec<usize> {
    let mut state = seed;
    let next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        150 + usize::try_from(state >> 40).unwrap() % 3000
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[test]
fn what_we_deliver_courier_and_dovecot_count_alike() {
    let Some(post) = Post::new("1000000S") else { return };
    let folder = post.run(COURIER_COUNTS, &["-f", "Drafts", "./Maildir"], b"");
    assert_eq!(folder.code, Some(0), "{}", folder.said());
    for (number, size) in sizes(20, 1).into_iter().enumerate() {
        let target = if number % 3 == 0 { "./Maildir/.Drafts/\n" } else { "./Maildir/\n" };
        post.joe.write(".qmail", target);
        assert!(post.ours_delivers(size));
    }
    let ours = post.sums();
    assert_eq!(ours, post.truth());
    assert_eq!(post.courier_counts(), ours);
    assert_eq!(post.dovecot_counts(), ours);
    assert_eq!(post.ours_counts(), ours);
}

#[test]
fn what_courier_and_dovecot_deliver_we_count_alike() {
    let Some(post) = Post::new("1000000S") else { return };
    for size in sizes(10, 2) {
        assert!(post.courier_delivers(size));
    }
    let courier = post.sums();
    assert_eq!(courier, post.truth());
    assert_eq!(post.ours_counts(), courier);
    for size in sizes(10, 3) {
        post.dovecot(&["save"], &message(size));
    }
    let dovecot = post.sums();
    assert_eq!(dovecot.1, 20);
    assert_eq!(post.ours_counts(), dovecot);
    assert_eq!(post.courier_counts(), dovecot);
    post.dovecot(&["expunge", "mailbox", "INBOX", "1:5"], b"");
    let expunged = post.sums();
    assert_eq!(expunged.1, 15);
    assert_eq!(post.ours_counts(), expunged);
}

#[test]
fn what_pop3_removes_courier_and_dovecot_count_alike() {
    let Some(post) = Post::new("1000000S") else { return };
    for size in sizes(6, 4) {
        assert!(post.courier_delivers(size) && post.ours_delivers(size));
    }
    post.dovecot(&["save"], &message(500));
    let pop3d = post.tree.home().join("bin/qmail-pop3d");
    let commands = b"DELE 1\r\nDELE 3\r\nDELE 4\r\nDELE 13\r\nQUIT\r\n";
    let finished = post.run(pop3d.to_str().unwrap(), &["Maildir"], commands);
    assert_eq!(finished.text().matches("+OK").count(), 6, "{}", finished.said());
    let ours = post.sums();
    assert_eq!((ours, ours.1), (post.truth(), 9));
    assert_eq!(post.courier_counts(), ours);
    assert_eq!(post.dovecot_counts(), ours);
}

#[test]
fn we_refuse_the_messages_that_courier_refuses() {
    // Each with a Maildir of its own, and the same messages.
    let (Some(ours), Some(courier)) = (Post::new("20000S,15C"), Post::new("20000S,15C")) else {
        return;
    };
    let mut decisions = Vec::new();
    for (number, size) in sizes(40, 5).into_iter().enumerate() {
        let decision = ours.ours_delivers(size);
        assert_eq!(decision, courier.courier_delivers(size), "message {number} of {size} bytes");
        decisions.push(decision);
        if number % 10 == 9 {
            // Half of what is there goes, without the sums being told.
            for post in [&ours, &courier] {
                let maildir = Maildir::at(post.joe.home().join("Maildir"));
                let new = maildir.path().join("new");
                let mut paths: Vec<_> =
                    maildir.names("new").into_iter().map(|name| new.join(name)).collect();
                // The same ones: only their sizes are alike.
                paths.sort_by_key(|path| fs::metadata(path).unwrap().len());
                for path in paths.iter().step_by(2) {
                    fs::remove_file(path).unwrap();
                }
            }
        }
    }
    assert!(decisions.contains(&true) && decisions.contains(&false));
    assert_eq!(ours.ours_counts(), courier.courier_counts());
}

#[test]
fn a_maildir_that_is_full_for_one_is_full_for_all() {
    let Some(post) = Post::new("5000S") else { return };
    assert!(post.courier_delivers(2000) && post.ours_delivers(2500));
    for _ in 0..3 {
        assert!(!post.courier_delivers(501) && !post.ours_delivers(501));
    }
    assert!(post.ours_delivers(300) && post.courier_delivers(200));
    assert_eq!((post.sums(), post.truth()), ((5000, 4), (5000, 4)));
    assert!(post.dovecot(&["-f", "flow", "quota", "get"], b"").contains("Value=4 "));
}
