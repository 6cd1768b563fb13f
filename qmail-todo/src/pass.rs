//! What is to be done after the trigger was pulled, a few messages at a time.

use std::vec::IntoIter;

use qmail_core::queue::QueueId;

use crate::scan::{Scan, Unreadable};

/// How messages were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// They are in `todo/`.
    InTodo,
    /// They have come into `todo/`. They may have gone since.
    Told,
}

/// One pass, under way.
#[derive(Debug)]
pub(crate) enum Pass {
    /// All that is in `todo/`.
    Scan(Scan),
    /// What has come there.
    Told(IntoIter<QueueId>),
}

impl Pass {
    /// The next messages, at most `most`.
    ///
    /// # Errors
    /// If a directory cannot be read; the pass goes on behind it.
    pub(crate) fn next(&mut self, most: usize) -> Result<Vec<QueueId>, Unreadable> {
        match self {
            Self::Scan(scan) => scan.next(most),
            Self::Told(ids) => Ok(ids.take(most).collect()),
        }
    }

    /// Whether there is no more to come.
    pub(crate) fn is_over(&self) -> bool {
        match self {
            Self::Scan(scan) => scan.is_over(),
            Self::Told(ids) => ids.len() == 0,
        }
    }

    /// How the messages were found.
    pub(crate) fn found(&self) -> Found {
        match self {
            Self::Scan(_) => Found::InTodo,
            Self::Told(_) => Found::Told,
        }
    }
}
