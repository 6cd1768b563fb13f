//! One maildir, used by several at once: sessions, deliveries, and Dovecot.

use std::collections::BTreeSet;
use std::fs::{self, hard_link};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use qmail_conformance::local::Delivery;
use qmail_conformance::pop3::Session;
use qmail_conformance::user::User;
use qmail_conformance::{Need, Tree, files, wait};

const DELIVERERS: usize = 3;
const DELIVERIES: usize = 40;
const READERS: usize = 3;

/// What a message of this number says. It is longer than any buffer, and has dots to double.
fn text(number: usize) -> Vec<u8> {
    let line = format!(".message {number}, which is all there has to be\n");
    format!("Subject: {number}\n\n{}", line.repeat(2000)).into_bytes()
}

/// The number of a message that arrived whole.
fn number_of(received: &str) -> usize {
    let (_, after) = received.split_once("Subject: ").expect("it has a subject");
    let number = after.lines().next().and_then(|line| line.parse().ok()).expect("it is a number");
    let sent = String::from_utf8(text(number)).expect("it is text");
    let (_, sent) = sent.split_once("\n\n").expect("it has a body");
    let (_, got) = after.split_once("\r\n\r\n").expect("it has a body");
    let expected = format!("{}\r\n", sent.replace('\n', "\r\n").replace("\r\n.", "\r\n.."));
    let expected = format!(".{expected}");
    assert!(got == expected, "message {number} is not what was sent");
    number
}

/// The mail of joe, and who has got which of it.
struct Site<'a> {
    tree: &'a Tree,
    joe: &'a User,
    delivered: AtomicUsize,
    taken: Mutex<Vec<usize>>,
}

impl Site<'_> {
    /// Has qmail-local deliver messages, one after the other.
    fn deliver(&self, first: usize) {
        for number in first..first + DELIVERIES {
            let message = self.tree.scratch().join(format!("message-{number}"));
            files::write(&message, text(number));
            let delivery = Delivery {
                message: Vec::new(),
                default_delivery: "./Maildir/".to_owned(),
                ..Delivery::to(self.joe)
            };
            let program = self.tree.local_arguments(self.joe, &delivery);
            let finished =
                program.stdin_from(fs::File::open(&message).expect("just written")).run();
            assert_eq!(finished.code, Some(0), "{}", finished.said());
            self.delivered.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn session(&self) -> Session {
        let program = self.tree.program("qmail-pop3d").run_as(self.joe.identity());
        let program = program.arg(self.joe.home().join("Maildir"));
        let mut session = Session::with(program.converse());
        assert_eq!(session.line(), "+OK ");
        session
    }

    /// Fetches some messages and deletes them; every third time the client is lost before that.
    fn read(&self, round: usize) {
        let mut session = self.session();
        let there = session.listing("UIDL").lines().count();
        let mut fetched = Vec::new();
        for number in 1..=there.min(7) {
            // Another session may have been faster.
            let reply = session.command(&format!("RETR {number}"));
            if reply != "+OK " {
                assert_eq!(reply, "-ERR unable to open that message");
                continue;
            }
            fetched.push(number_of(&session.lines()));
            assert_eq!(session.command(&format!("DELE {number}")), "+OK ");
        }
        if round % 3 == 2 {
            session.end();
            return;
        }
        assert_eq!(session.command("QUIT"), "+OK ");
        self.taken.lock().expect("nobody panics with it").extend(fetched);
    }

    /// Until all is delivered, and nothing is left.
    fn read_all(&self) {
        let start = Instant::now();
        for round in 0.. {
            let complete = self.delivered.load(Ordering::SeqCst) == DELIVERERS * DELIVERIES;
            self.read(round);
            if complete && self.left().is_empty() {
                return;
            }
            assert!(start.elapsed() < 10 * wait::LIMIT, "{:?} are still there", self.left());
        }
    }

    fn left(&self) -> Vec<String> {
        let part = |part| files::names(&self.joe.home().join("Maildir").join(part));
        [part("new"), part("cur")].concat()
    }

    /// Lets Dovecot read everything, again and again: it moves messages, and flags them.
    fn read_with_dovecot(&self) {
        while self.taken.lock().expect("nobody panics with it").len() < DELIVERERS * DELIVERIES
            && !(self.delivered.load(Ordering::SeqCst) == DELIVERERS * DELIVERIES
                && self.left().is_empty())
        {
            let said = self.tree.dovecot_says(self.joe, "UIDL\r\nRETR 1\r\nRETR 2\r\nQUIT\r\n");
            assert!(said.starts_with("+OK") && !said.contains("-ERR [IN-USE]"), "{said}");
        }
    }

    /// Runs deliveries and sessions, and what else is to run beside them.
    fn run(&self, beside: impl Fn() + Sync) {
        thread::scope(|scope| {
            for deliverer in 0..DELIVERERS {
                scope.spawn(move || self.deliver(deliverer * DELIVERIES));
            }
            for _ in 0..READERS {
                scope.spawn(|| self.read_all());
            }
            scope.spawn(&beside);
        });
        let taken = self.taken.lock().expect("nobody panics with it");
        let taken: BTreeSet<usize> = taken.iter().copied().collect();
        assert_eq!(taken, (0..DELIVERERS * DELIVERIES).collect(), "of what was delivered");
        let tmp = self.joe.home().join("Maildir/tmp");
        assert_eq!(files::names(&tmp), [""; 0]);
    }
}

fn site(tree: &Tree, run: impl FnOnce(&Site<'_>)) {
    let joe = tree.user("joe");
    let _ = joe.make_maildir("Maildir");
    let taken = Mutex::default();
    run(&Site { tree, joe: &joe, delivered: AtomicUsize::new(0), taken });
}

#[test]
fn every_message_is_got_by_somebody_and_none_comes_back() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) {
        return;
    }
    site(&tree, |site| site.run(|| ()));
}

#[test]
fn dovecot_may_move_and_flag_messages_meanwhile() {
    let Some(tree) = Tree::with_dovecot() else { return };
    site(&tree, |site| site.run(|| site.read_with_dovecot()));
}

#[test]
fn dovecot_has_the_same_messages_under_the_same_ids() {
    let Some(tree) = Tree::with_dovecot() else { return };
    site(&tree, |site| {
        site.deliver(0);
        let ids = |listing: &str| -> BTreeSet<String> {
            listing.lines().filter_map(|line| Some(line.split_once(' ')?.1.to_owned())).collect()
        };
        let ours = site.session().listing("UIDL");
        let theirs = tree.dovecot_says(site.joe, "UIDL\r\nQUIT\r\n");
        let theirs: String = theirs
            .lines()
            .filter(|line| line.starts_with(|first: char| first.is_ascii_digit()))
            .map(|line| format!("{line}\r\n"))
            .collect();
        assert_eq!(ids(&ours), ids(&theirs));
        assert_eq!(ids(&ours).len(), DELIVERIES);
        // It has moved them all; we know them by the same names.
        assert!(files::names(&site.joe.home().join("Maildir/new")).is_empty());
        assert_eq!(ids(&site.session().listing("UIDL")), ids(&ours));
    });
}

/// Messages of 100,000 names, which tell what is sent of each: reading them all takes time, and no
/// memory. One file has no more than 65,000.
fn make_large(joe: &User) {
    let maildir = joe.make_maildir("Maildir");
    for half in 0..2 {
        joe.write(&format!("Maildir/tmp/{half}"), "Subject: x\n\nhello\n");
        let source = maildir.path().join(format!("tmp/{half}"));
        for number in 0..50_000 {
            let name = format!("cur/17673{half}{number:05}.M12345P123.a.example,W=21:2,S");
            hard_link(&source, maildir.path().join(name)).expect("a temporary directory has room");
        }
        fs::remove_file(source).expect("just written");
    }
}

/// The most that a process has had in memory so far, in KiB.
fn memory(process: u32) -> u64 {
    let status = fs::read_to_string(Path::new("/proc").join(process.to_string()).join("status"));
    let status = status.expect("it is running");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("Linux tells it");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("it is a number")
}

#[test]
fn a_hundred_thousand_messages_fit_into_16_mebibytes() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) || tree.is_original() {
        return;
    }
    let joe = tree.user("joe");
    make_large(&joe);
    // The first session lists and reads, the second finds what the first has left, and in the third
    // all messages are elsewhere.
    for round in 0..3 {
        let program = tree.program("qmail-pop3d").run_as(joe.identity());
        let conversation = program.arg(joe.home().join("Maildir")).converse();
        let process = conversation.pid().expect("it has been started");
        let mut session = Session::with(conversation);
        session.wait_patiently();
        assert_eq!(session.line(), "+OK ");
        if round == 2 {
            let (from, to) = (joe.home().join("Maildir/cur"), joe.home().join("Maildir/new"));
            fs::remove_dir(&to).expect("it is empty");
            fs::rename(from, to).expect("root may");
            joe.make_directory("Maildir/cur");
            assert_eq!(patiently(&mut session, "RETR 1"), "+OK ");
            assert_eq!(session.lines(), "Subject: x\r\n\r\nhello\r\n\r\n");
        }
        assert_eq!(patiently(&mut session, "STAT"), "+OK 100000 2300000");
        for command in ["UIDL", "LIST"] {
            assert_eq!(patiently(&mut session, command), "+OK ");
            assert_eq!(session.lines().lines().count(), 100_000);
        }
        let memory = memory(process);
        println!("session {round}: {memory} KiB");
        assert!(memory < 16 << 10, "session {round}: {memory} KiB");
        assert_eq!(patiently(&mut session, "QUIT"), "+OK ");
    }
}

/// The first line of a reply that takes much work.
fn patiently(session: &mut Session, command: &str) -> String {
    session.send(format!("{command}\r\n"));
    session.wait_patiently();
    session.line()
}
