//! The site that crashes: what mail it has, and what is to become of it.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{Write, pipe};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};

use super::disk::Disk;
use super::laid;
use super::law::{Fate, Mail, Recipient, World};
use super::mailboxes::Mailbox;
use super::queue_view::Layout;
use super::recorder::{Moment, Policy, Record, Recorder, Verdict};
use super::watch::Watch;
use crate::log::Running;
use crate::process::{Finished, background};
use crate::queue::envelope;
use crate::{Need, Tree, wait};

/// How long qmail may go on after something went wrong.
const PATIENCE: Duration = Duration::from_secs(5);

/// So long nothing happens where nothing is left to be done at once.
const REST: Duration = Duration::from_millis(400);

/// Who promises that mail is safe, in another way on each ground. They ask what disk they are on, and
/// nothing else by access(2).
pub const PROMISING: [&str; 3] = ["qmail-queue", "qmail-todo", "qmail-local"];

/// How often qmail-send is told to try again what was deferred.
const NUDGES: Duration = Duration::from_millis(300);

/// Said of what is tried again after two minutes, whatever qmail-send is told, or at the next start.
const NOT_BOUNCED: &str = "trouble injecting bounce message";

/// A tree with mailboxes of every kind.
pub struct Site {
    /// The tree.
    pub tree: Tree,
    /// All messages that it gets.
    pub mails: Vec<Mail>,
    /// What its programs find out about their disk.
    pub ground: Ground,
}

/// What programs are made to believe of the disk that they are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Names keep their order.
    Ordered,
    /// Nothing is known; the kernel syncs many files at once.
    Loose,
    /// Nothing is known, and the kernel does not sync many files at once. It does not for whoever may
    /// not ask it: there are filters of system calls, and a limit for the whole machine.
    OneByOne,
}

impl fmt::Display for Ground {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ordered => "names keep their order",
            Self::Loose => "nothing known of the disk",
            Self::OneByOne => "nothing known of the disk, files synced one by one",
        })
    }
}

/// What is in a tree at one moment.
pub struct Found {
    /// Files and names.
    pub disk: Disk,
    /// What they mean.
    pub world: World,
}

impl Site {
    /// None where something that it needs is missing.
    #[must_use]
    pub fn on(ground: Ground) -> Option<Self> {
        let tree = Tree::under_test();
        if tree.lacks(Need::Root) {
            return None;
        }
        // Nobody is there: such mail waits.
        tree.control("smtproutes", ":[127.0.0.1]:1\n");
        let (joe, jane) = (tree.user("joe"), tree.user("jane"));
        let _ = (joe.make_maildir("box"), jane.uses_maildir());
        joe.instruct("-default", "./box/\n");
        joe.instruct("-mbox-default", "./mbox\n");
        Some(Self { tree, mails: mails(), ground })
    }

    /// The same, of programs of ours: netqmail does not ask what disk it is on.
    #[must_use]
    pub fn of_ours_on(ground: Ground) -> Option<Self> {
        Self::on(ground).filter(|site| !site.tree.is_original())
    }

    /// This policy, on the ground that is here.
    pub(crate) fn policy(&self, mut policy: Policy) -> Policy {
        let ground = self.ground;
        Box::new(move |moment| ground.verdict(moment).unwrap_or_else(|| policy(moment)))
    }

    /// The directories that matter.
    #[must_use]
    pub fn roots(&self) -> Vec<PathBuf> {
        let homes = ["joe", "jane"].map(|name| self.tree.user(name).home().to_owned());
        [self.tree.path("queue")].into_iter().chain(homes).collect()
    }

    /// What is on its disk.
    #[must_use]
    pub fn look(&self) -> Found {
        let (watch, disk) = Watch::of(&self.roots());
        let world = self.world(&watch, &disk);
        Found { disk, world }
    }

    /// What the law speaks about, on a disk where everything is as it is here.
    #[must_use]
    pub fn world(&self, watch: &Watch, disk: &Disk) -> World {
        let home = |name| self.tree.user(name).home().to_owned();
        let mailboxes = vec![
            Mailbox::maildir(&home("joe").join("box"), watch, disk),
            Mailbox::maildir(&home("jane").join("jane-maildir"), watch, disk),
            Mailbox::mbox(&home("joe"), "mbox", watch, disk),
        ];
        let layout = Layout::of(&self.tree.path("queue"), watch, disk);
        World { layout, mailboxes, mails: self.mails.clone() }
    }

    /// Empties queue and mailboxes.
    pub fn wipe(&self) {
        let queue = self.tree.path("queue");
        let parts = ["pid", "mess", "intd", "todo", "info", "local", "remote", "bounce"];
        laid::wipe(&parts.map(|part| queue.join(part)));
        let (joe, jane) = (self.tree.user("joe"), self.tree.user("jane"));
        laid::wipe(&[joe.home().join("box"), jane.home().join("jane-maildir")]);
        let _ = std::fs::remove_file(joe.home().join("mbox"));
    }

    /// Puts a message into the queue, under a recorder.
    #[must_use]
    pub fn queue(&self, mail: &Mail, recorder: &Recorder) -> Finished {
        let (reader, mut writer) = pipe().expect("a pipe");
        let recipients: Vec<&str> = mail.recipients.iter().map(|to| to.address).collect();
        let envelope = envelope(SENDER, &recipients);
        background(move || drop(writer.write_all(&envelope)));
        let program = self.tree.program("qmail-queue").run_as(self.tree.user("jane").identity());
        let program = program.stdin(mail.text.clone()).stdout_to(reader);
        self.tree.run_recorded(program, recorder)
    }

    /// Puts all messages into the queue; the tags of those that qmail-queue took.
    #[must_use]
    pub fn queue_all(&self, recorder: &Recorder) -> BTreeSet<&'static str> {
        let taken = |mail: &&Mail| self.queue(mail, recorder).code == Some(0);
        self.mails.iter().filter(taken).map(|mail| mail.tag).collect()
    }

    /// Waits until nothing is left to be done, or qmail has ended, or so long. Messages with these
    /// numbers never end.
    pub fn settle(
        &self,
        running: &mut Running,
        patience: Duration,
        ghosts: &BTreeSet<u64>,
    ) -> Settled {
        let start = Instant::now();
        while start.elapsed() < patience {
            if running.has_ended() {
                return Settled::Ended;
            }
            if self.is_settled(ghosts) {
                return Settled::Clean;
            }
            std::thread::sleep(Duration::from_millis(4));
        }
        Settled::Never
    }

    /// The same after something went wrong: what was put off is done after the next start, and it is
    /// enough that nothing happens for a while.
    pub(crate) fn settle_or_rest(&self, running: &mut Running) -> Settled {
        let start = Instant::now();
        let look = |running: &Running| (running.lines().len(), self.tree.queue_files("."));
        let mut last = (look(running), Instant::now());
        while start.elapsed() < PATIENCE {
            let settled = self.settle(running, REST / 8, &BTreeSet::new());
            if settled != Settled::Never {
                return settled;
            }
            let now = look(running);
            if now != last.0 {
                last = (now, Instant::now());
            }
            if last.1.elapsed() > REST && running.count("status: ") > 0 {
                return Settled::Never;
            }
        }
        Settled::Never
    }

    /// The same, while qmail-send is told to try again now what it has put off.
    fn settle_now(&self, running: &mut Running, ghosts: &BTreeSet<u64>) -> Settled {
        let start = Instant::now();
        while start.elapsed() < wait::LIMIT {
            let settled = self.settle(running, NUDGES, ghosts);
            if settled != Settled::Never || running.count(NOT_BOUNCED) > 0 {
                return settled;
            }
            if running.count("status: ") > 0 {
                // It may just have ended.
                let _ = kill(running.pid(), Signal::SIGALRM);
            }
        }
        Settled::Never
    }

    /// Whether nothing is in the queue but what waits.
    #[must_use]
    pub fn is_settled(&self, ghosts: &BTreeSet<u64>) -> bool {
        let left = |part: &str| {
            let files = self.tree.queue_files(part);
            let number = |file: &PathBuf| file.file_name()?.to_str()?.parse::<u64>().ok();
            files.iter().filter(|file| !number(file).is_some_and(|it| ghosts.contains(&it))).count()
        };
        let empty = ["pid", "todo", "local", "bounce"].iter().all(|part| left(part) == 0);
        // That of a message that waits goes with it.
        let empty = empty && left("intd") <= left("info");
        let waiting = self.mails.iter().filter(|mail| mail.waits()).count();
        let remote = left("remote");
        empty && remote <= waiting && left("info") == remote && left("mess") == remote
    }

    /// Runs qmail until everything is settled, and stops it.
    ///
    /// # Panics
    /// If that does not happen.
    pub fn run_until_settled(&self, ghosts: &BTreeSet<u64>) -> Vec<String> {
        let mut running = self.tree.start();
        let settled = self.settle_now(&mut running, ghosts);
        assert_eq!(settled, Settled::Clean, "{:#?}", self.left(&running));
        // Before that, the signal would meet qmail-start, and end it.
        running.wait_for("status: ");
        running.stop()
    }

    /// What is in the queue, and the end of the log.
    fn left(&self, running: &Running) -> (Vec<PathBuf>, Vec<String>) {
        let mut lines = running.lines();
        let last = lines.split_off(lines.len().saturating_sub(30));
        (self.tree.queue_files("."), last)
    }

    /// Lets everything in the queue that could be litter look old.
    pub fn age_litter(&self) {
        let queue = self.tree.path("queue");
        for part in ["mess", "pid"] {
            for file in self.tree.queue_files(part) {
                laid::age(&queue.join(part).join(file));
            }
        }
    }

    /// A whole life of all messages: they come, are delivered, come back, and are read.
    ///
    /// # Panics
    /// If it does not come to its end.
    #[must_use]
    pub fn record(&self) -> Record {
        self.wipe();
        let policy = self.policy(Box::new(|_| Verdict::Go));
        let (recorder, before) = Recorder::watching(&self.roots(), policy);
        assert_eq!(self.queue_all(&recorder).len(), self.mails.len());
        let mut running = self.tree.start_recorded(&recorder);
        let settled = self.settle(&mut running, wait::LIMIT, &BTreeSet::new());
        assert_eq!(settled, Settled::Clean, "{:#?}", self.left(&running));
        running.wait_for("status: ");
        running.stop();
        let finished = self.read_and_delete(&recorder);
        assert_eq!(finished.code, Some(0), "{}", finished.said());
        recorder.finish(before)
    }

    /// A life in which this policy makes something go wrong, and what becomes of it after the next
    /// start.
    ///
    /// # Panics
    /// If it does not come to its end.
    #[must_use]
    pub fn record_of_misfortune(&self, policy: Policy) -> Record {
        self.wipe();
        let (recorder, before) = Recorder::watching(&self.roots(), self.policy(policy));
        let _ = self.queue_all(&recorder);
        let mut running = self.tree.start_recorded(&recorder);
        if self.settle_or_rest(&mut running) != Settled::Ended {
            running.end();
        }
        let mut settled = Settled::Ended;
        // What was to happen may not have happened until now: it does only once.
        for _ in 0..2 {
            if settled != Settled::Clean {
                if settled == Settled::Never {
                    running.end();
                }
                self.age_litter();
                running = self.tree.start_recorded(&recorder);
                settled = self.settle_now(&mut running, &BTreeSet::new());
            }
        }
        assert_eq!(settled, Settled::Clean, "{:#?}", self.left(&running));
        running.end();
        recorder.finish(before)
    }

    /// Joe deletes his first message over POP3.
    #[must_use]
    pub fn read_and_delete(&self, recorder: &Recorder) -> Finished {
        let joe = self.tree.user("joe");
        let program = self.tree.program("qmail-pop3d").arg("box").run_as(joe.identity());
        let program = program.in_directory(joe.home()).stdin("RETR 1\r\nDELE 1\r\nQUIT\r\n");
        self.tree.run_recorded(program, recorder)
    }
}

impl Ground {
    /// What becomes of calls that ask about it.
    fn verdict(self, moment: &Moment<'_>) -> Option<Verdict> {
        let asks = PROMISING.contains(&&*moment.process.name) && !moment.is_of_loader;
        match moment.number {
            // The last question: are there signs of a journal?
            libc::SYS_access | libc::SYS_faccessat if asks && self == Self::Ordered => {
                Some(Verdict::Pretend)
            }
            libc::SYS_access | libc::SYS_faccessat if asks => Some(Verdict::Fail(libc::ENOENT)),
            libc::SYS_io_setup if self == Self::OneByOne => Some(Verdict::Fail(libc::ENOSYS)),
            _ => None,
        }
    }
}

/// How a run went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Nothing is left to do.
    Clean,
    /// qmail has ended.
    Ended,
    /// Something is left for ever.
    Never,
}

impl Mail {
    fn waits(&self) -> bool {
        self.recipients.iter().any(|recipient| recipient.fate == Fate::Waits)
    }
}

/// Whom failures are told.
pub(crate) const SENDER: &str = "jane@test.example";

fn mails() -> Vec<Mail> {
    let mail = |tag: &'static str, recipients: &[(&'static str, Fate)]| {
        // Its end is told from its beginning.
        let lines: String = (0..9).map(|line| format!("line {line} of {tag}\n")).collect();
        let text = format!("Subject: {tag}\n\n{lines}end of {tag}\n").into_bytes();
        let recipients =
            recipients.iter().map(|(address, fate)| Recipient { address, fate: *fate });
        Mail { tag, text, recipients: recipients.collect() }
    };
    vec![
        mail("m1", &[("joe-m1@test.example", Fate::Arrives(0))]),
        mail(
            "m2",
            &[
                ("joe-mbox-m2@test.example", Fate::Arrives(2)),
                ("nobody-m2@test.example", Fate::Bounces(1)),
            ],
        ),
        mail(
            "m3",
            &[("joe-m3@test.example", Fate::Arrives(0)), ("joe@far-m3.example", Fate::Waits)],
        ),
    ]
}
