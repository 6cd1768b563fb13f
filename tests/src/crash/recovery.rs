//! Starting qmail on what a crash has left.

use std::collections::BTreeSet;

use super::disk::Disk;
use super::laid;
use super::law::{Claims, Fate, Mail, holds};
use super::mailboxes::Mailbox;
use super::plan::Site;
use super::queue_view::State;
use super::watch::Watch;

/// How often somebody has got a message, and how often it may still be delivered to him.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// Whole copies in his mailbox, or notices in that of the sender.
    pub arrived: usize,
    /// Messages in the queue that are still to be delivered to him.
    pub pending: usize,
}

impl Site {
    /// Puts this disk into the tree, and lets qmail work on it.
    ///
    /// # Panics
    /// If that does not end, or does not end well.
    pub fn recover(&self, disk: &Disk, watch: &Watch, claims: &Claims) {
        self.wipe();
        laid::lay(disk, watch, &self.tree.path("queue"));
        let ghosts = self.ghosts();
        let before = self.copies();
        // To look is to touch.
        self.age_litter();
        let log = self.run_until_settled(&ghosts);
        let found = self.look();
        let verdict = found.world.judge(&found.disk, claims);
        assert!(verdict.is_ok(), "{verdict:?}: {log:#?}");
        for (before, after) in before.iter().zip(self.copies()) {
            assert!(
                after.arrived <= before.arrived + before.pending,
                "{before:?} has become {after:?}: {log:#?}"
            );
        }
        self.assert_delivered(claims);
    }

    /// Whoever was to get an acknowledged message has it.
    ///
    /// # Panics
    /// If not.
    pub fn assert_delivered(&self, claims: &Claims) {
        let copies = self.copies();
        for ((mail, fate), copies) in self.fates().zip(copies) {
            let is_due = claims.is_owed(mail) && fate != Fate::Waits;
            assert!(!is_due || copies.arrived > 0, "{} has not arrived: {fate:?}", mail.tag);
        }
    }

    /// For every recipient of every message: how often he has it, or is to get it.
    #[must_use]
    pub fn copies(&self) -> Vec<Copies> {
        let found = self.look();
        let queue = found.world.layout.view(&found.disk);
        let mut all = Vec::new();
        for mail in &self.mails {
            for recipient in &mail.recipients {
                let count = |mailbox: &Mailbox| -> usize {
                    let texts = mailbox.texts(&found.disk);
                    texts.iter().map(|text| times(text, mail, recipient.fate)).sum()
                };
                let arrived = match recipient.fate {
                    Fate::Arrives(place) | Fate::Bounces(place) => {
                        count(&found.world.mailboxes[place])
                    }
                    Fate::Waits => 0,
                };
                let is_pending = |files: &&_| found.world.is_pending(files, mail, recipient);
                let pending = queue.messages.values().filter(is_pending).count();
                all.push(Copies { arrived, pending });
            }
        }
        all
    }

    pub(crate) fn fates(&self) -> impl Iterator<Item = (&Mail, Fate)> {
        let each = |mail| mail_fates(mail).map(move |fate| (mail, fate));
        self.mails.iter().flat_map(each)
    }

    /// Messages that have ended, of which names are left, but no text.
    #[must_use]
    pub fn ghosts(&self) -> BTreeSet<u64> {
        let found = self.look();
        let queue = found.world.layout.view(&found.disk);
        let is_ghost = |state, has_text: bool| match state {
            State::Queued | State::Sorted => !has_text,
            State::Orphans => true,
            State::Litter => false,
        };
        let messages = queue.messages.iter();
        let ghosts = messages.filter(|(_, files)| is_ghost(files.state(), files.mess.is_some()));
        ghosts.map(|(number, _)| *number).collect()
    }
}

fn mail_fates(mail: &Mail) -> impl Iterator<Item = Fate> {
    mail.recipients.iter().map(|recipient| recipient.fate)
}

/// How often a text holds the message, or the notice about it.
fn times(text: &[u8], mail: &Mail, fate: Fate) -> usize {
    match fate {
        Fate::Bounces(_) => usize::from(holds(text, &mail.text)),
        _ => text.windows(mail.text.len()).filter(|window| *window == mail.text).count(),
    }
}
