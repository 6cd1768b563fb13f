//! A site with mail in every state, and what becomes of each message.

use std::fs;

use qmail_conformance::log::Running;
use qmail_conformance::maildir::Maildir;
use qmail_conformance::old_tree::Layout;
use qmail_conformance::sink::Sink;
use qmail_conformance::{Tree, wait};

/// Where mail to far.example goes.
const RELAY: &str = "127.0.0.1:2525";

/// Everybody who gets mail.
pub(crate) struct Site<'tree> {
    tree: &'tree Tree,
    joe: Maildir,
    jane: Maildir,
    sink: Sink,
}

/// A message, and how often joe, jane and somebody far away get it, and jane is told that it could
/// not be delivered.
type Expected = (String, [usize; 4]);

impl<'tree> Site<'tree> {
    pub(crate) fn new(tree: &'tree Tree) -> Self {
        tree.control("smtproutes", format!("far.example:{RELAY}\n"));
        tree.control("locals", "test.example\n");
        let sink = Sink::start(tree.listen(RELAY)).expect("nobody else listens there");
        let (joe, jane) = (tree.user("joe").uses_maildir(), tree.user("jane").uses_maildir());
        Self { tree, joe, jane, sink }
    }

    /// How often a text is in each place: joe's, jane's, far away, and jane's as a bounce.
    fn found(&self, text: &str) -> [usize; 4] {
        let line = format!("\n{text}\n");
        let has =
            |message: &[u8]| String::from_utf8_lossy(message).replace('\r', "").contains(&line);
        let is_bounce = |message: &Vec<u8>| message.starts_with(b"Return-Path: <>\n");
        let jane = self.jane.messages();
        let far = self.sink.messages();
        [
            self.joe.messages().iter().filter(|message| has(message)).count(),
            jane.iter().filter(|message| has(message) && !is_bounce(message)).count(),
            far.iter().filter(|message| has(&message.data)).count(),
            jane.iter().filter(|message| has(message) && is_bounce(message)).count(),
        ]
    }

    /// Waits until the queue holds nothing but `litter` messages, and compares.
    pub(crate) fn finishes(
        &self,
        running: Running,
        litter: usize,
        expected: &[Expected],
    ) -> Vec<String> {
        wait::until("an empty queue", || {
            let rest = ["info", "local", "remote", "bounce"];
            let is_empty = rest.iter().all(|part| self.tree.queue_files(part).is_empty());
            let is_sorted = self.tree.queue_files("todo").is_empty();
            (is_empty && is_sorted && self.tree.queued() == litter).then_some(())
        });
        let log = running.stop();
        for (text, places) in expected {
            assert_eq!(self.found(text), *places, "{text}: joe, jane, far, bounce; {log:#?}");
        }
        log
    }
}

/// The text of a message.
fn body(name: &str) -> String {
    format!("From: jane@test.example\nSubject: {name}\n\n{name}\n")
}

/// Puts mail into the queue in every state that queue.md, section 4, knows of, as a qmail that was
/// stopped or has crashed leaves it; what is to become of it.
pub(crate) fn mail_in_every_state(tree: &Tree, layout: Layout) -> Vec<Expected> {
    let mut expected = waiting(tree, layout);
    expected.extend(preprocessed(tree, layout));
    expected
}

const JANE: &str = "jane@test.example";

/// Not preprocessed, or not to its end.
fn waiting(tree: &Tree, layout: Layout) -> Vec<Expected> {
    let queue = tree.old_queue(layout);
    let both = ["joe@test.example", "bob@far.example"];
    queue.envelope(queue.message(&body("queued")), JANE, &both);
    let without_intd = queue.message(&body("without intd"));
    queue.envelope(without_intd, JANE, &both);
    fs::remove_file(queue.file("intd", without_intd)).expect("it was just made");
    let half_done = queue.message(&body("half preprocessed"));
    queue.envelope(half_done, JANE, &both);
    queue.write("info", half_done, &format!("F{JANE}\0"));
    queue.write("local", half_done, "Tjoe@test.example\0Tja");
    // A sender like any other, and nobody to send to.
    queue.envelope(queue.message(&body("to nobody")), JANE, &[]);
    vec![
        ("queued".into(), [1, 0, 1, 0]),
        ("without intd".into(), [1, 0, 1, 0]),
        ("half preprocessed".into(), [1, 0, 1, 0]),
        ("to nobody".into(), [0; 4]),
    ]
}

/// Preprocessed, and partly delivered.
pub(crate) fn preprocessed(tree: &Tree, layout: Layout) -> Vec<Expected> {
    let queue = tree.old_queue(layout);
    let done = |name: &str, local: &str, remote: &str| {
        queue.preprocessed(&body(name), JANE, local, remote)
    };
    let (joe, bob) = ("Tjoe@test.example\0", "Tbob@far.example\0");
    let _ = done("untouched", joe, bob);
    let _ = done("local half done", &format!("Djane@test.example\0{joe}"), "");
    let _ = done("remote half done", "", &format!("{bob}Deve@far.example\0"));
    let _ = done("all marked", "Djoe@test.example\0", "Dbob@far.example\0");
    let _ = done("finished", "", "");
    let to_bounce = done("to bounce", "", "");
    queue.write("bounce", to_bounce, "<nobody@test.example>:\nno such mailbox\n\n");
    let bounced = done("bounced in part", joe, "Deve@far.example\0");
    queue.write("bounce", bounced, "<eve@far.example>:\n192.0.2.1 does not like recipient.\n\n");
    vec![
        ("untouched".into(), [1, 0, 1, 0]),
        ("local half done".into(), [1, 0, 0, 0]),
        ("remote half done".into(), [0, 0, 1, 0]),
        ("all marked".into(), [0; 4]),
        ("finished".into(), [0; 4]),
        ("to bounce".into(), [0, 0, 0, 1]),
        ("bounced in part".into(), [1, 0, 0, 1]),
    ]
}
