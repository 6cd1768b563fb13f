//! How a session learns what is in the maildir, and what it leaves of that for the next.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use crate::index::{self, Index, State};
use crate::mailbox::Mailbox;
use crate::maildir::{Updated, scan};

/// What was known when the session began.
pub(crate) struct Known {
    began: SystemTime,
    /// What the maildir was, if nobody was just changing it.
    state: Option<State>,
    has_index: bool,
    /// Whether the list came from the index.
    listed: bool,
    /// Of how many messages it was known what is sent.
    counted: usize,
}

/// Finds the messages.
pub(crate) fn open_mailbox(maildir: &Path, now: SystemTime) -> io::Result<(Mailbox, Known)> {
    // Before the list: what is changed from here on shows in the state of the next session.
    let state = index::state(maildir, now);
    let mut index = Index::open(maildir);
    let has_index = index.is_some();
    let list = index.as_mut().and_then(|index| index.list(state));
    let listed = list.is_some();
    let mailbox = match (list, index) {
        (Some(messages), _) => Mailbox::new(messages),
        (None, index) => {
            let mut mailbox = scan(maildir)?;
            if let Some(index) = index {
                mailbox.recall(index.entries());
            }
            mailbox
        }
    };
    let counted = mailbox.counted();
    Ok((mailbox, Known { began: now, state, has_index, listed, counted }))
}

impl Known {
    /// Keeps what the session found out, if that is worth a file.
    pub(crate) fn keep(&self, maildir: &Path, mailbox: &Mailbox, updated: Updated) {
        if mailbox.present().count() < index::WORTH_IT {
            if self.has_index {
                index::remove(maildir);
            }
            return;
        }
        let unchanged = |state: &State| {
            updated.as_it_was && index::state(maildir, self.began).as_ref() == Some(state)
        };
        let state = self.state.filter(unchanged);
        let newly_listed = state.is_some() && !self.listed;
        if newly_listed || mailbox.counted() > self.counted {
            // Without it the next session is slower.
            let _ = index::write(maildir, mailbox, state);
        }
    }
}

#[cfg(test)]
mod tests;
