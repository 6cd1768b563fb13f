//! The messages, and where they are in the end.

use std::io::{Write, pipe};
use std::path::Path;

use qmail_conformance::crash::plan::Site;
use qmail_conformance::crash::random::Random;
use qmail_conformance::crash::recorder::Recorder;
use qmail_conformance::files;
use qmail_conformance::queue::envelope;

/// What may become of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    Delivered,
    Bounced,
    Queued,
}

/// Where mail goes; `#` is its number.
const ADDRESSES: [(&str, &[Fate]); 5] = [
    ("joe-#-@test.example", &[Fate::Delivered]),
    ("joe-mbox-#-@test.example", &[Fate::Delivered]),
    ("nobody-#-@test.example", &[Fate::Bounced]),
    // Until the clock jumps by a week.
    ("joe-#-@far.example", &[Fate::Queued, Fate::Bounced]),
    ("joe-#-@dns.example", &[Fate::Queued, Fate::Bounced]),
];

/// All messages.
#[derive(Default)]
pub(crate) struct Accounts {
    sent: usize,
    /// Those that qmail-queue took, and what may become of them.
    pub(crate) taken: Vec<(usize, &'static [Fate])>,
    /// All others.
    pub(crate) refused: Vec<usize>,
}

impl Accounts {
    /// Gives a message to qmail-queue.
    pub(crate) fn send_one(&mut self, site: &Site, recorder: &Recorder, random: &mut Random) {
        let number = self.sent;
        self.sent += 1;
        let (address, fates) = ADDRESSES[random.below(ADDRESSES.len())];
        let address = address.replace('#', &number.to_string());
        let lines = "line\n".repeat(random.below(1000));
        let text = format!("Subject: s{number}\n\n{lines}end of s{number}\n");
        let (reader, mut writer) = pipe().expect("a pipe");
        let envelope = envelope("jane@test.example", &[&address]);
        let writing = std::thread::Builder::new().spawn(move || drop(writer.write_all(&envelope)));
        let program = site.tree.program("qmail-queue").run_as(site.tree.user("jane").identity());
        let finished = site.tree.run_recorded(program.stdin(text).stdout_to(reader), recorder);
        let _ = writing.expect("a thread starts").join();
        match finished.code {
            Some(0) => self.taken.push((number, fates)),
            code => {
                assert!(!code.is_some_and(|code| (11..=40).contains(&code)), "refused: {code:?}");
                self.refused.push(number);
            }
        }
    }

    /// What became of each message that was taken.
    ///
    /// # Panics
    /// If that is nothing, or two things, or not what may become of it.
    pub(crate) fn audit(&self, site: &Site) -> Vec<Fate> {
        let texts = Texts::of(site);
        let judge = |(number, allowed): &(usize, &[Fate])| {
            let subject = format!("Subject: s{number}\n");
            let end = format!("end of s{number}\n");
            let is_whole = |text: &&String| text.contains(&subject) && text.contains(&end);
            let mut found = Vec::new();
            if texts.boxes.iter().any(|text| is_whole(&text)) {
                found.push(Fate::Delivered);
            }
            if texts.notices.iter().any(|text| is_whole(&text)) {
                found.push(Fate::Bounced);
            }
            if texts.waiting.iter().any(|text| text.contains(&format!("joe-{number}-@"))) {
                found.push(Fate::Queued);
            }
            assert!(found.len() == 1 && allowed.contains(&found[0]), "s{number}: {found:?}");
            found[0]
        };
        self.taken.iter().map(judge).collect()
    }
}

/// All that there is.
struct Texts {
    boxes: Vec<String>,
    notices: Vec<String>,
    waiting: Vec<String>,
}

impl Texts {
    fn of(site: &Site) -> Self {
        let (joe, jane) = (site.tree.user("joe"), site.tree.user("jane"));
        let mut boxes = texts(&joe.home().join("box/new"));
        for text in &boxes {
            // An mbox may hold what a killed process has left, a Maildir may not.
            assert!(text.lines().last().is_some_and(|line| line.starts_with("end of ")), "{text}");
        }
        let mbox = std::fs::read(joe.home().join("mbox")).unwrap_or_default();
        boxes.push(String::from_utf8_lossy(&mbox).into_owned());
        let notices = texts(&jane.home().join("jane-maildir/new"));
        let remote = site.tree.path("queue/remote");
        let files = site.tree.queue_files("remote");
        let waiting = files.iter().map(|file| text(&remote.join(file))).collect();
        Self { boxes, notices, waiting }
    }
}

fn texts(directory: &Path) -> Vec<String> {
    files::names(directory).iter().map(|name| text(&directory.join(name))).collect()
}

fn text(file: &Path) -> String {
    String::from_utf8_lossy(&files::read(file)).into_owned()
}
