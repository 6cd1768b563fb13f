//! The messages, and where they are in the end.

use std::io::{Write, pipe};
use std::path::Path;

use qmail_conformance::crash::plan::Site;
use qmail_conformance::crash::random::Random;
use qmail_conformance::crash::recorder::Recorder;
use qmail_conformance::files;
use qmail_conformance::queue::envelope;

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    Delivered,
    /// Its sender was told.
    Bounced,
    /// Its sender could not be told, but the postmaster was.
    DoublyBounced,
    /// Nobody could be told.
    Discarded,
    Queued,
}

/// Where mail goes, `#` is its number; and what becomes of it, unless the clock jumps by a week just
/// when it could not be delivered.
const ADDRESSES: [(&str, Fate); 5] = [
    ("joe-#-@test.example", Fate::Delivered),
    ("joe-mbox-#-@test.example", Fate::Delivered),
    ("nobody-#-@test.example", Fate::Bounced),
    ("joe-#-@far.example", Fate::Queued),
    ("joe-#-@dns.example", Fate::Queued),
];

/// The Maildir for what could not be told to a sender.
const POSTMASTER: &str = "postmaster-maildir";

/// Said of what was put off for too long.
const GIVEN_UP: &str = "this message has been in the queue too long.";

/// All messages.
#[derive(Default)]
pub(crate) struct Accounts {
    sent: usize,
    /// Those that qmail-queue took, and what becomes of them as a rule.
    pub(crate) taken: Vec<(usize, Fate)>,
    /// All others.
    pub(crate) refused: Vec<usize>,
}

/// Has what could not be told to a sender delivered to a mailbox of its own.
pub(crate) fn prepare(site: &Site) {
    site.tree.control("doublebounceto", "jane-postmaster\n");
    let jane = site.tree.user("jane");
    let _ = jane.make_maildir(POSTMASTER);
    jane.instruct("-postmaster", format!("./{POSTMASTER}/\n"));
}

/// Gives a message to qmail-queue; its exit code.
pub(crate) fn queue(
    site: &Site,
    recorder: &Recorder,
    sender: &str,
    recipient: &str,
    text: String,
) -> Option<i32> {
    let (reader, mut writer) = pipe().expect("a pipe");
    let envelope = envelope(sender, &[recipient]);
    let writing = std::thread::Builder::new().spawn(move || drop(writer.write_all(&envelope)));
    let program = site.tree.program("qmail-queue").run_as(site.tree.user("jane").identity());
    let finished = site.tree.run_recorded(program.stdin(text).stdout_to(reader), recorder);
    let _ = writing.expect("a thread starts").join();
    finished.code
}

impl Accounts {
    /// Sends a message to somebody.
    pub(crate) fn send_one(&mut self, site: &Site, recorder: &Recorder, random: &mut Random) {
        let number = self.sent;
        self.sent += 1;
        let (address, fate) = ADDRESSES[random.below(ADDRESSES.len())];
        let address = address.replace('#', &number.to_string());
        let lines = "line\n".repeat(random.below(1000));
        let text = format!("Subject: s{number}\n\n{lines}end of s{number}\n");
        match queue(site, recorder, "jane@test.example", &address, text) {
            Some(0) => self.taken.push((number, fate)),
            code => {
                assert!(!code.is_some_and(|code| (11..=40).contains(&code)), "refused: {code:?}");
                self.refused.push(number);
            }
        }
    }

    /// What became of each message that was taken. It may be told of what has arrived, or twice, if
    /// somebody was killed before he could write down what he had done: then the first counts.
    ///
    /// # Panics
    /// If that is nothing, or what must not become of it.
    pub(crate) fn audit(&self, site: &Site, discarded: &[String]) -> Vec<Fate> {
        let texts = Texts::of(site, discarded);
        self.taken.iter().map(|(number, usual)| texts.fate(*number, *usual)).collect()
    }
}

/// All that there is.
struct Texts {
    boxes: Vec<String>,
    notices: Vec<String>,
    double_notices: Vec<String>,
    discarded: Vec<String>,
    waiting: Vec<String>,
}

impl Texts {
    fn of(site: &Site, discarded: &[String]) -> Self {
        let (joe, jane) = (site.tree.user("joe"), site.tree.user("jane"));
        let mut boxes = texts(&joe.home().join("box/new"));
        for text in &boxes {
            // An mbox may hold what a killed process has left, a Maildir may not.
            assert!(text.lines().last().is_some_and(|line| line.starts_with("end of ")), "{text}");
        }
        let mbox = std::fs::read(joe.home().join("mbox")).unwrap_or_default();
        boxes.push(String::from_utf8_lossy(&mbox).into_owned());
        let notices = texts(&jane.home().join("jane-maildir/new"));
        let double_notices = texts(&jane.home().join(POSTMASTER).join("new"));
        let remote = site.tree.path("queue/remote");
        let files = site.tree.queue_files("remote");
        let waiting = files.iter().map(|file| text(&remote.join(file))).collect();
        Self { boxes, notices, double_notices, discarded: discarded.to_vec(), waiting }
    }

    fn fate(&self, number: usize, usual: Fate) -> Fate {
        let subject = format!("Subject: s{number}\n");
        let end = format!("end of s{number}\n");
        let recipient = format!("joe-{number}-@");
        let is_whole = |text: &&String| text.contains(&subject) && text.contains(&end);
        let mut found = Vec::new();
        for (fate, texts) in [
            (Fate::Delivered, &self.boxes),
            (Fate::Bounced, &self.notices),
            (Fate::DoublyBounced, &self.double_notices),
            (Fate::Discarded, &self.discarded),
        ] {
            for text in texts.iter().filter(is_whole) {
                let is_right = match fate {
                    Fate::Delivered => usual == Fate::Delivered,
                    Fate::Bounced if usual == Fate::Bounced => true,
                    _ => text.contains(GIVEN_UP),
                };
                assert!(is_right, "s{number}, {usual:?}, {fate:?}: {text}");
                found.push(fate);
            }
        }
        if self.waiting.iter().any(|text| text.contains(&recipient)) {
            assert!(usual == Fate::Queued && found.is_empty(), "s{number} waits: {found:?}");
            found.push(Fate::Queued);
        }
        *found.first().unwrap_or_else(|| panic!("s{number}, {usual:?}, is nowhere"))
    }
}

fn texts(directory: &Path) -> Vec<String> {
    files::names(directory).iter().map(|name| text(&directory.join(name))).collect()
}

pub(crate) fn text(file: &Path) -> String {
    String::from_utf8_lossy(&files::read(file)).into_owned()
}
